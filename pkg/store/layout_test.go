package store

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/policy"
)

// TestStateOnDisk holds what stands in existing files: whoever adds or renames a
// field of policy, or reorders an enumeration, makes a new schema.
func TestStateOnDisk(t *testing.T) {
	want, err := os.ReadFile("testdata/state-2.json")
	if err != nil {
		t.Fatal(err)
	}
	var s policy.State
	if err := getJSON("state", want, &s); err != nil {
		t.Fatal(err)
	}
	checkFilled(t, "State", reflect.ValueOf(s))
	got, err := json.MarshalIndent(&s, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
		t.Errorf("-testdata/state-2.json +written:\n%s", diff)
	}
	dir := t.TempDir()
	db := open(t, dir)
	if err := db.Save(&policy.Revision{State: &s}, noon); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if again := base(open(t, dir).Revision().State); !reflect.DeepEqual(base(&s), again) {
		t.Errorf("the state opened is not the one saved: an agent that starts would call it a new revision\n%s", cmp.Diff(&s, again, sameValue))
	}
	words := fmt.Sprint(
		s.Mode, s.Unlisted, s.Failsafe[0].Protocol, s.Endpoints[0].Protocol, s.Endpoints[0].Client.Source,
		s.Endpoints[0].Client.Exhausted, s.Endpoints[0].Refuse, s.Endpoints[0].Mode, s.Endpoints[0].Unlisted,
		s.Endpoints[0].Loopback, s.Endpoints[0].Verify, s.Endpoints[0].Policies.State,
		s.Endpoints[0].Policies.Entries[0].Action)
	if want := "off closed udp any proxy-protocol leftmost respond monitor open exempt or off deny"; words != want {
		t.Errorf("its numbers mean %q, want %q", words, want)
	}
}

// checkFilled fails for a field of policy's that the file leaves at its zero:
// nothing would then show that it is kept.
func checkFilled(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch {
	case name == "State.System" || name == "State.Tenants": // elsewhere in the store
	case v.IsZero():
		t.Errorf("%s is not in testdata/state-2.json", name)
	case v.Kind() == reflect.Pointer:
		checkFilled(t, name, v.Elem())
	case v.Kind() == reflect.Slice:
		checkFilled(t, name, v.Index(0))
	case v.Kind() == reflect.Struct && v.Type().PkgPath() == reflect.TypeFor[policy.State]().PkgPath():
		for i := range v.NumField() {
			checkFilled(t, name+"."+v.Type().Field(i).Name, v.Field(i))
		}
	}
}

// TestListOnDisk does the same for lists, whose every field revision fills.
func TestListOnDisk(t *testing.T) {
	l := *revision(t).State.Tenants.Get("acme").Lists["*"]
	l.Entries = l.Entries[1:2]
	checkFilled(t, "List", reflect.ValueOf(l))
	want, err := os.ReadFile("testdata/list-2.hex")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), hex.Dump(appendList(nil, &l))); diff != "" {
		t.Errorf("-testdata/list-2.hex +written:\n%s", diff)
	}
}

func FuzzReadList(f *testing.F) {
	f.Add(string(appendList(nil, revision(f).State.Tenants.Get("acme").Lists["*"])))
	f.Add("\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Fuzz(func(t *testing.T, value string) {
		l, err := readList(value)
		if err != nil {
			return
		}
		again, err := readList(string(appendList(nil, l)))
		if err != nil {
			t.Fatalf("read %+v, wrote it, and: %v", l, err)
		}
		if diff := cmp.Diff(l, again, sameValue); diff != "" {
			t.Errorf("written and read again:\n%s", diff)
		}
	})
}
