package storetest

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/store"
)

func testEmpty(t *testing.T, open Open) {
	s, other := open(t, store.Config{}), open(t, store.Config{})
	if s.ID() == "" || s.ID() == other.ID() {
		t.Errorf("ids %q and %q, want two", s.ID(), other.ID())
	}
	if s.Number() != 0 {
		t.Errorf("number = %d, want 0", s.Number())
	}
	write(t, s).check()
}

// full is one record of each kind, with every field.
func full(t *testing.T) policy.Image {
	off := true
	security := list(t, "198.51.100.66")
	security.Entries[0].Action = policy.Deny
	l := list(t, "192.176.1.1/24", "2001:db8::1-2001:db8::ff")
	l.State = policy.ListMonitor
	l.Entries[1].Comment, l.Entries[1].Expires, l.Entries[1].Disabled = "Pâris", noon, true
	return policy.Image{
		Lists: map[policy.Place]*policy.List{acme: l, system: {}, user: list(t, "10.0.0.1")},
		Tenants: map[string]*policy.TenantRecord{
			"acme": {
				Name: "Acme <Ltd>", Hosts: []string{"acme.example.com"}, StaffOnly: true,
				Attributes: []byte(`{"b": 1.0, "a": "<&>"}`), Users: map[string]string{"1": "Bob", "2": ""},
			},
			"none": {},
		},
		Endpoints: map[string]*policy.Endpoint{"data": {
			Name: "data", Ports: []policy.PortRange{{First: 443, Last: 443}}, Tenants: []string{"acme"},
			Destination: policy.Destination{Prefix: netip.MustParsePrefix("203.0.113.10/32")},
			Policies:    security, Secured: true,
			Security: &policy.Security{Credentials: []policy.Credential{{Username: "bob", Hash: "$argon2id$"}}},
			Port:     &policy.Port{Name: "p01", Protocol: "HTTP"},
		}},
		Filtering: &off,
	}
}

func testRecords(t *testing.T, open Open) {
	w := write(t, open(t, store.Config{}))
	w.put(full(t), nil)
	w.check()
	w.put(lists(acme, list(t, "10.0.0.0/8")), nil)
	w.check()
	w.put(policy.Image{
		Lists:     map[policy.Place]*policy.List{user: nil},
		Tenants:   map[string]*policy.TenantRecord{"none": nil},
		Endpoints: map[string]*policy.Endpoint{"data": nil},
	}, nil)
	w.check()
	if w.Number() != 3 {
		t.Errorf("number = %d, want 3", w.Number())
	}
}

func testConflict(t *testing.T, open Open) {
	w := write(t, open(t, store.Config{}))
	w.put(lists(acme, list(t, "10.0.0.1")), func(c *policy.Commit) { c.Number = 7 }) // the files had those before
	for _, number := range []uint64{0, 6, 7} {
		c := w.commit(lists(acme, nil))
		c.Number = number
		if err := w.Commit(c, lists(acme, nil), audit.Note{}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("commit %d after 7: error = %v, want ErrConflict", number, err)
		}
	}
	w.check()
	w.put(lists(acme, list(t, "10.0.0.2")), func(c *policy.Commit) { c.Number = 9 })
	w.check()
}

// testOneWins has many commit the same number.
func testOneWins(t *testing.T, open Open) {
	w := write(t, open(t, store.Config{}))
	for range 5 {
		var all sync.WaitGroup
		errs := make([]error, 8)
		number := w.Number() + 1
		for i := range errs {
			after := lists(acme, list(t, fmt.Sprintf("10.0.0.%d", i)))
			c := w.commit(after)
			c.Number = number
			all.Go(func() { errs[i] = w.Commit(c, after, audit.Note{}) })
		}
		all.Wait()
		won := -1
		for i, err := range errs {
			switch {
			case err == nil && won >= 0:
				t.Fatalf("%d and %d both won", won, i)
			case err == nil:
				won = i
			case !errors.Is(err, store.ErrConflict):
				t.Fatal(err)
			}
		}
		if won < 0 || w.Number() != number {
			t.Fatalf("nobody won: number = %d", w.Number())
		}
		w.now = lists(acme, list(t, fmt.Sprintf("10.0.0.%d", won)))
		w.check()
	}
}

// testAtomic refuses a commit at its last step, and looks for traces of it.
func testAtomic(t *testing.T, open Open) {
	w := write(t, open(t, store.Config{}))
	w.put(full(t), nil)
	c := w.commit(lists(acme, nil))
	c.Reverts = 99
	note := audit.Note{Seq: 1, Line: []byte("line")}
	err := w.Commit(c, lists(acme, nil), note)
	if unknown := new(policy.Unknown); !errors.As(err, &unknown) || unknown.Name != "99" {
		t.Fatalf("revert of revision 99: error = %v", err)
	}
	w.check()
	if found, err := w.History(store.HistoryQuery{}); err != nil || len(found) != 1 || w.Number() != 1 {
		t.Errorf("history %v, %v, number %d; want one commit", numbers(found), err, w.Number())
	}
	if notes, err := w.Journal().Pending(); err != nil || len(notes) != 0 {
		t.Errorf("notes %v, %v; want none", notes, err)
	}
}

func testPending(t *testing.T, open Open) {
	w := write(t, open(t, store.Config{}))
	w.put(lists(acme, list(t, "10.0.0.1")), nil)
	until := noon.Add(90 * time.Second)
	wait := func(c *policy.Commit) { c.Outcome, c.Confirm = policy.Pending, until }
	first := w.put(lists(acme, list(t, "10.0.0.2")), wait)
	second := w.put(lists(system, list(t, "10.0.0.3")), wait)
	pending, err := w.Pending()
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "pending", []*policy.Commit{first, second}, pending)
	if err := w.Settle(2, policy.Confirmed, audit.Note{Seq: 5, Line: []byte("confirmed")}); err != nil {
		t.Fatal(err)
	}
	if pending, err = w.Pending(); err != nil || len(pending) != 1 || pending[0].Number != 3 {
		t.Errorf("pending %v, %v; want 3", numbers(pending), err)
	}
	if c, err := w.Revision(2); err != nil || c.Outcome != policy.Confirmed || !c.Confirm.Equal(until) {
		t.Errorf("revision 2 = %+v, %v; want it confirmed", c, err)
	}
	if notes, err := w.Journal().Pending(); err != nil || len(notes) != 1 || string(notes[0].Line) != "confirmed" {
		t.Errorf("notes %v, %v; want one", notes, err)
	}
	for _, number := range []uint64{1, 2, 99} {
		if err := w.Settle(number, policy.Confirmed, audit.Note{}); err == nil {
			t.Errorf("revision %d settled, which was not pending", number)
		}
	}
}

func testReverts(t *testing.T, open Open) {
	w := write(t, open(t, store.Config{}))
	w.put(lists(acme, list(t, "10.0.0.1")), nil)
	bad := w.put(lists(acme, nil), func(c *policy.Commit) { c.Outcome = policy.Pending })
	w.put(bad.Before, func(c *policy.Commit) { c.Reverts = bad.Number })
	w.check()
	if pending, err := w.Pending(); err != nil || len(pending) != 0 {
		t.Errorf("pending %v, %v; want none", numbers(pending), err)
	}
	if c, err := w.Revision(bad.Number); err != nil || c.Outcome != policy.Reverted {
		t.Errorf("revision %d = %+v, %v; want it reverted", bad.Number, c, err)
	}
}
