package store

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

var (
	noon      = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	sameValue = cmp.Options{
		cmpopts.EquateEmpty(),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		cmp.Comparer(func(a, b addr.Range) bool { return a == b }),
	}
)

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func parse(t testing.TB, text string) addr.Range {
	t.Helper()
	r, err := addr.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func open(t testing.TB, dir string) *DB {
	t.Helper()
	db, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// revision has every kind of list and, in one of its entries, every field.
func revision(t testing.TB) *policy.Revision {
	file := "lists.d/acme.yaml"
	full := &policy.List{
		State:    policy.ListMonitor,
		Owner:    file,
		Orphaned: true,
		Pos:      policy.Pos{File: file, Line: 3},
		Entries: []policy.Entry{
			{Text: "192.176.1.1/24", Range: parse(t, "192.176.1.1/24"), Pos: policy.Pos{File: file, Line: 4}},
			{
				Text:     "2001:db8::1 - 2001:db8::ff",
				Range:    parse(t, "2001:db8::1-2001:db8::ff"),
				Action:   policy.Deny,
				Disabled: true,
				Comment:  "Pâris",
				Expires:  noon.Add(time.Nanosecond).In(time.FixedZone("", 3600)),
				Pos:      policy.Pos{File: "elsewhere.yaml", Line: 5},
			},
			{Text: "vpce-0a"},
		},
	}
	one := &policy.List{Entries: []policy.Entry{{Text: "10.0.0.1", Range: parse(t, "10.0.0.1")}}}
	return &policy.Revision{
		Number: 7,
		Since:  noon,
		State: &policy.State{
			Mode:     policy.Monitor,
			Unmap:    true,
			Failsafe: []policy.Failsafe{{Ports: []policy.PortRange{{First: 22, Last: 22}}, From: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}},
			System:   map[string]*policy.List{"*": one},
			Tenants: map[string]*policy.Tenant{
				"acme": {
					ID:    "acme",
					Hosts: []string{"acme.example.com"},
					Lists: map[string]*policy.List{"*": full, "webUI": {Owner: file}},
					Users: map[string]map[string]*policy.List{"1": {"dataAccess": one}},
					Pos:   policy.Pos{File: file, Line: 1},
				},
				"none": {ID: "none", Lists: map[string]*policy.List{}, Users: map[string]map[string]*policy.List{}},
			},
			Endpoints: []*policy.Endpoint{{
				Name:        "data",
				Destination: policy.Destination{Prefix: netip.MustParsePrefix("203.0.113.10/32")},
				Ports:       []policy.PortRange{{First: 443, Last: 443}},
				Tenants:     []string{"acme"},
				Resource:    "dataAccess",
				Policies:    full,
				HTTP:        &policy.HTTP{Listen: ":8080"},
			}},
		},
		Settings: []byte(`{"interfaces":["eth0"]}`),
	}
}

func TestSaveAndOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	db := open(t, dir)
	if db.Revision() != nil || !db.Latest().IsZero() {
		t.Fatalf("new store: revision %v, latest %v, want neither", db.Revision(), db.Latest())
	}
	want := revision(t)
	if err := db.Save(want, noon); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir)
	if diff := cmp.Diff(want, db.Revision(), sameValue); diff != "" {
		t.Errorf("revision opened (-saved +opened):\n%s", diff)
	}
	if !db.Latest().Equal(noon) {
		t.Errorf("latest = %v, want %v", db.Latest(), noon)
	}
}

// edit is a copy of rev whose maps can be changed without changing rev's.
func edit(rev *policy.Revision) *policy.Revision {
	r, s, acme := *rev, *rev.State, *rev.State.Tenants["acme"]
	acme.Lists = map[string]*policy.List{}
	for k, l := range rev.State.Tenants["acme"].Lists {
		acme.Lists[k] = l
	}
	s.Tenants = map[string]*policy.Tenant{"acme": &acme, "none": rev.State.Tenants["none"]}
	r.State = &s
	r.Number++
	return &r
}

func TestSaveChange(t *testing.T) {
	tests := []struct {
		name   string
		change func(*policy.State)
	}{
		{name: "nothing", change: func(*policy.State) {}},
		{name: "list-added", change: func(s *policy.State) { s.Tenants["acme"].Lists["adminAPI"] = &policy.List{Owner: "x"} }},
		{name: "list-changed", change: func(s *policy.State) { s.Tenants["acme"].Lists["*"] = &policy.List{Owner: "x"} }},
		{name: "list-removed", change: func(s *policy.State) { delete(s.Tenants["acme"].Lists, "*") }},
		{name: "user-removed", change: func(s *policy.State) { s.Tenants["acme"].Users = map[string]map[string]*policy.List{} }},
		{name: "system-removed", change: func(s *policy.State) { s.System = map[string]*policy.List{} }},
		{name: "hosts-changed", change: func(s *policy.State) { s.Tenants["acme"].Hosts = []string{"other.example.com"} }},
		{name: "tenant-removed", change: func(s *policy.State) { delete(s.Tenants, "acme") }},
		{name: "mode-changed", change: func(s *policy.State) { s.Mode = policy.Off }},
		{name: "endpoint-removed", change: func(s *policy.State) { s.Endpoints = nil }},
	}
	for _, tt := range tests {
		for _, reopened := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/reopened-%t", tt.name, reopened), func(t *testing.T) {
				dir := t.TempDir()
				first := revision(t)
				db := open(t, dir)
				if err := db.Save(first, noon); err != nil {
					t.Fatal(err)
				}
				if reopened {
					db.Close()
					db = open(t, dir)
				}
				second := edit(first)
				tt.change(second.State)
				if err := db.Save(second, noon); err != nil {
					t.Fatal(err)
				}
				db.Close()
				if diff := cmp.Diff(second, open(t, dir).Revision(), sameValue); diff != "" {
					t.Errorf("revision opened (-saved +opened):\n%s", diff)
				}
			})
		}
	}
}

func TestRecordNeverGoesBack(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	for _, at := range []time.Time{noon, noon.Add(-time.Hour)} {
		if err := db.Record(at); err != nil {
			t.Fatal(err)
		}
		if !db.Latest().Equal(noon) {
			t.Errorf("after %v: latest = %v, want %v", at, db.Latest(), noon)
		}
	}
	db.Close()
	if got := open(t, dir).Latest(); !got.Equal(noon) {
		t.Errorf("opened again: latest = %v, want %v", got, noon)
	}
}

func TestOpenTwice(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	_, err := Open(dir)
	want := "open " + filepath.Join(dir, Name) + ": another process has it open"
	if text(err) != want {
		t.Errorf("error = %q, want %q", text(err), want)
	}
}

// withBolt changes a store's file behind the store's back.
func withBolt(t *testing.T, dir string, f func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, Name), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(f); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	list := "tenants/acme/*"
	tests := []struct {
		name   string
		change func(*bbolt.Tx) error
		err    string
	}{
		{
			name:   "newer-schema",
			change: func(tx *bbolt.Tx) error { return put(tx.Bucket(metaBucket), schemaKey, []byte("2")) },
			err:    "schema 2 is newer than 1, the newest this postern reads; run the postern that wrote it",
		},
		{
			name:   "older-schema",
			change: func(tx *bbolt.Tx) error { return put(tx.Bucket(metaBucket), schemaKey, []byte("0")) },
			err:    "schema 0 was never written by a postern",
		},
		{
			name:   "no-number",
			change: func(tx *bbolt.Tx) error { return put(tx.Bucket(metaBucket), schemaKey, []byte("one")) },
			err:    `schema "one": not a number`,
		},
		{
			name:   "no-schema",
			change: func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Delete([]byte(schemaKey)) },
			err:    "schema: missing",
		},
		{
			name:   "another-program's",
			change: func(tx *bbolt.Tx) error { return tx.DeleteBucket(metaBucket) },
			err:    `no bucket "meta": damaged, or not a store of postern's`,
		},
		{
			name: "turned-bit",
			change: func(tx *bbolt.Tx) error {
				b := tx.Bucket(listsBucket)
				v := append([]byte(nil), b.Get([]byte(list))...)
				v[len(v)-1] ^= 1
				return b.Put([]byte(list), v)
			},
			err: "list tenants/acme/*: damaged: its checksum differs",
		},
		{
			name: "value-of-another-key",
			change: func(tx *bbolt.Tx) error {
				b := tx.Bucket(listsBucket)
				return b.Put([]byte("system/*"), append([]byte(nil), b.Get([]byte(list))...))
			},
			err: "list system/*: damaged: its checksum differs",
		},
		{
			name:   "unknown-field",
			change: func(tx *bbolt.Tx) error { return put(tx.Bucket(metaBucket), stateKey, []byte(`{"Closed":true}`)) },
			err:    `state: json: unknown field "Closed"`,
		},
		{
			name:   "list-without-tenant",
			change: func(tx *bbolt.Tx) error { return tx.Bucket(tenantsBucket).Delete([]byte("acme")) },
			err:    "list tenants/acme/*: its tenant has no record",
		},
		{
			name:   "list-cut-short",
			change: func(tx *bbolt.Tx) error { return put(tx.Bucket(listsBucket), list, []byte{0, 0}) },
			err:    "list tenants/acme/*: ends in the middle",
		},
		{
			name:   "no-list",
			change: func(tx *bbolt.Tx) error { return put(tx.Bucket(listsBucket), "tenants/acme", nil) },
			err:    `list "tenants/acme": not the key of a list`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			db := open(t, dir)
			if err := db.Save(revision(t), noon); err != nil {
				t.Fatal(err)
			}
			db.Close()
			withBolt(t, dir, tt.change)
			_, err := Open(dir)
			if want := "open " + filepath.Join(dir, Name) + ": " + tt.err; text(err) != want {
				t.Errorf("error = %q,\n       want %q", text(err), want)
			}
			withBolt(t, dir, func(*bbolt.Tx) error { return nil }) // nothing holds it any more
		})
	}
}

// large is a revision of many pages.
func large(t testing.TB, tenants int) *policy.Revision {
	rev := revision(t)
	rev.State.Tenants = map[string]*policy.Tenant{}
	for i := range tenants {
		l := &policy.List{}
		for j := range 8 {
			a := netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), byte(j)})
			l.Entries = append(l.Entries, policy.Entry{Text: a.String(), Range: parse(t, a.String())})
		}
		id := strconv.Itoa(i)
		rev.State.Tenants[id] = &policy.Tenant{ID: id, Lists: map[string]*policy.List{"*": l}}
	}
	return rev
}

// TestOpenCutShort cuts a store at every page: never a panic, and whatever
// opens is the whole revision.
func TestOpenCutShort(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	if err := db.Save(large(t, 500), noon); err != nil {
		t.Fatal(err)
	}
	db.Close()
	whole, err := os.ReadFile(filepath.Join(dir, Name))
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for size := 0; size < len(whole); size += os.Getpagesize() {
		path := filepath.Join(dir, Name)
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := Open(dir)
		if err != nil {
			refused++
			continue
		}
		if got := len(db.Revision().State.Tenants); got != 500 {
			t.Errorf("cut to %d of %d bytes: opened with %d tenants of 500", size, len(whole), got)
		}
		db.Close()
	}
	if refused == 0 {
		t.Error("no cut was noticed")
	}
}

// TestOpenDamaged overwrites each page in turn, then closes and opens again as a
// restarted agent would.
func TestOpenDamaged(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	if err := db.Save(large(t, 100), noon); err != nil {
		t.Fatal(err)
	}
	db.Close()
	path := filepath.Join(dir, Name)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	for at := 0; at < len(whole); at += page {
		for _, junk := range []byte{0, 0x5a, 0xff} {
			damaged := append([]byte(nil), whole...)
			for i := range page {
				damaged[at+i] = junk
			}
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			db, err := Open(dir)
			if err != nil {
				continue
			}
			if rev := db.Revision(); rev != nil && len(rev.State.Tenants) != 100 {
				t.Errorf("page %d of %#x: opened with %d tenants of 100", at/page, junk, len(rev.State.Tenants))
			}
			db.Close()
		}
	}
}

// TestCutShortWhileOpen shows that a file cut under a running agent fails the
// writing, not the agent.
func TestCutShortWhileOpen(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	if err := db.Save(large(t, 500), noon); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, Name)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	want := "save revision 7 in " + path + ": the file is damaged: cut short"
	for range 2 { // and the second does not wait for a lock the first left
		if got := text(db.Save(large(t, 600), noon)); got != want {
			t.Errorf("error = %q, want %q", got, want)
		}
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// TestStateOnDisk holds what stands in existing files: whoever adds or renames a
// field of policy, or reorders an enumeration, makes a new schema.
func TestStateOnDisk(t *testing.T) {
	want, err := os.ReadFile("testdata/state-1.json")
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
		t.Errorf("-testdata/state-1.json +written:\n%s", diff)
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
		t.Errorf("%s is not in testdata/state-1.json", name)
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
	l := *revision(t).State.Tenants["acme"].Lists["*"]
	l.Entries = l.Entries[1:2]
	checkFilled(t, "List", reflect.ValueOf(l))
	want, err := os.ReadFile("testdata/list-1.hex")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), hex.Dump(appendList(nil, &l))); diff != "" {
		t.Errorf("-testdata/list-1.hex +written:\n%s", diff)
	}
}

func FuzzReadList(f *testing.F) {
	f.Add(string(appendList(nil, revision(f).State.Tenants["acme"].Lists["*"])))
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
