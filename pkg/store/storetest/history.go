package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/store"
)

func testHistory(t *testing.T, open Open) {
	w := write(t, open(t, store.Config{}))
	by := func(name string) func(*policy.Commit) { return func(c *policy.Commit) { c.Author.Name = name } }
	at := func(tenant string) policy.Place {
		return policy.Place{Scope: policy.ScopeTenant, Tenant: tenant, Resource: "*"}
	}
	w.put(policy.Image{Tenants: map[string]*policy.TenantRecord{"acme": {}}}, by("ann")) // 1
	w.put(lists(at("acme"), list(t, "10.0.0.1")), by("bob"))                             // 2
	w.put(lists(at("acme2"), list(t, "10.0.0.2")), by("ann"))                            // 3
	w.put(lists(system, list(t, "10.0.0.3")), by("ann"))                                 // 4
	w.put(lists(user, list(t, "10.0.0.4")), by("bob"))                                   // 5
	w.put(policy.Image{}, by("files"))                                                   // 6
	w.put(lists(at("acme"), nil), by("ann"))                                             // 7
	tests := []struct {
		name  string
		query store.HistoryQuery
		want  []uint64
	}{
		{name: "all", want: []uint64{7, 6, 5, 4, 3, 2, 1}},
		{name: "limit", query: store.HistoryQuery{Limit: 2}, want: []uint64{7, 6}},
		{name: "page", query: store.HistoryQuery{Limit: 2, Before: 6}, want: []uint64{5, 4}},
		{name: "before-all", query: store.HistoryQuery{Before: 1}},
		{name: "before-beyond", query: store.HistoryQuery{Before: 99, Limit: 1}, want: []uint64{7}},
		{name: "list", query: store.HistoryQuery{Name: "tenants/acme/*"}, want: []uint64{7, 2}},
		{name: "list-page", query: store.HistoryQuery{Name: "tenants/acme/*", Before: 7}, want: []uint64{2}},
		{name: "below", query: store.HistoryQuery{Name: "tenants/acme"}, want: []uint64{7, 5, 2, 1}},
		{name: "system", query: store.HistoryQuery{Name: "system"}, want: []uint64{4}},
		{name: "part-of-a-name", query: store.HistoryQuery{Name: "tenants/ac"}},
		{name: "tenant", query: store.HistoryQuery{Tenant: "acme"}, want: []uint64{7, 5, 2, 1}},
		{name: "tenant-and-other-name", query: store.HistoryQuery{Tenant: "acme2", Name: "tenants/acme"}},
		{name: "author", query: store.HistoryQuery{Author: "bob"}, want: []uint64{5, 2}},
		{name: "author-of-list", query: store.HistoryQuery{Author: "ann", Name: "tenants/acme", Limit: 1}, want: []uint64{7}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, err := w.History(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "numbers", tt.want, numbers(found))
		})
	}
}

func testRevision(t *testing.T, open Open) {
	w := write(t, open(t, store.Config{}))
	w.put(full(t), nil)
	all := full(t)
	want := w.put(policy.Image{
		Lists:     map[policy.Place]*policy.List{acme: nil, system: list(t, "10.0.0.9")},
		Tenants:   map[string]*policy.TenantRecord{"acme": nil, "new": {Name: "New"}},
		Endpoints: map[string]*policy.Endpoint{"data": nil},
		Filtering: new(bool),
	}, func(c *policy.Commit) {
		c.Author.Key, c.Author.Tenant, c.Reason = "k1", "acme", "clean up"
	})
	got, err := w.Revision(2)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "revision", want, got)
	diff(t, "attributes", string(all.Tenants["acme"].Attributes), string(got.Before.Tenants["acme"].Attributes))
	short, err := w.History(store.HistoryQuery{Limit: 1})
	if err != nil || len(short) != 1 {
		t.Fatalf("history %v, %v; want one", short, err)
	}
	want.Before = policy.Image{}
	diff(t, "in the history", want, short[0])
	_, err = w.Revision(3)
	if unknown := new(policy.Unknown); !errors.As(err, &unknown) {
		t.Errorf("revision 3: error = %v, want an Unknown", err)
	}
}

func testUndo(t *testing.T, open Open) {
	w := write(t, open(t, store.Config{}))
	one, two := list(t, "10.0.0.1"), list(t, "10.0.0.2")
	w.put(lists(acme, one), nil)                                                            // 1
	w.put(lists(acme, two), nil)                                                            // 2
	w.put(policy.Image{Filtering: ptr(true), Lists: lists(system, one).Lists}, nil)         // 3
	w.put(policy.Image{Tenants: map[string]*policy.TenantRecord{"acme": {}}}, nil)          // 4
	w.put(policy.Image{Tenants: map[string]*policy.TenantRecord{"acme": {Name: "A"}}}, nil) // 5
	tests := []struct {
		name  string
		to    uint64
		names func(string) bool
		want  policy.Image
	}{
		{name: "nothing-since", to: 5},
		{name: "later-than-all", to: 9},
		{name: "last", to: 4, want: policy.Image{Tenants: map[string]*policy.TenantRecord{"acme": {}}}},
		{name: "two-of-one-record", to: 3, want: policy.Image{Tenants: map[string]*policy.TenantRecord{"acme": nil}}},
		{name: "list", to: 1, names: func(name string) bool { return name == "tenants/acme/*" }, want: lists(acme, one)},
		{name: "list-to-nothing", to: 0, names: func(name string) bool { return name == "tenants/acme/*" }, want: lists(acme, nil)},
		{name: "tenant", to: 0, names: func(name string) bool { return strings.HasPrefix(name, "tenants/") }, want: policy.Image{
			Lists: lists(acme, nil).Lists, Tenants: map[string]*policy.TenantRecord{"acme": nil},
		}},
		{name: "all", to: 0, want: policy.Image{
			Lists:   map[policy.Place]*policy.List{acme: nil, system: nil},
			Tenants: map[string]*policy.TenantRecord{"acme": nil}, Filtering: ptr(false),
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := w.Undo(tt.to, tt.names)
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "image", tt.want, got)
		})
	}
}

func ptr[T any](v T) *T { return &v }

// testUndoRandom makes random commits, and goes back to each of them.
func testUndoRandom(t *testing.T, open Open) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	w := write(t, open(t, store.Config{}))
	then := []policy.Image{{}}
	for range 40 {
		w.put(someRecords(t, r), nil)
		then = append(then, present(policy.Image{}.Over(w.now)))
	}
	for to, want := range then {
		undo, err := w.Undo(uint64(to), nil)
		if err != nil {
			t.Fatal(err)
		}
		got := present(undo.Over(w.now))
		if want.Filtering == nil { // off is what it is where nobody said
			want.Filtering = got.Filtering
		}
		diff(t, fmt.Sprintf("back at %d", to), want, got)
	}
}

func someRecords(t *testing.T, r *rand.Rand) policy.Image {
	i := policy.Image{
		Lists: map[policy.Place]*policy.List{}, Tenants: map[string]*policy.TenantRecord{},
		Endpoints: map[string]*policy.Endpoint{},
	}
	for range 1 + r.IntN(3) {
		at := []policy.Place{acme, system, user}[r.IntN(3)]
		i.Lists[at] = list(t, fmt.Sprintf("10.0.0.%d", r.IntN(256)))
		if r.IntN(3) == 0 {
			i.Lists[at] = nil
		}
	}
	switch r.IntN(4) {
	case 0:
		i.Tenants["acme"] = &policy.TenantRecord{Name: fmt.Sprint(r.IntN(9))}
	case 1:
		i.Tenants["acme"] = nil
	case 2:
		i.Endpoints["data"] = &policy.Endpoint{Name: "data", Service: fmt.Sprint(r.IntN(9))}
	case 3:
		i.Filtering = ptr(r.IntN(2) == 0)
	}
	return i
}

func testRetentionCount(t *testing.T, open Open) {
	w := write(t, open(t, store.Config{MaxRevisions: 3}))
	for i := range 6 {
		w.put(lists(acme, list(t, fmt.Sprintf("10.0.0.%d", i))), nil)
	}
	w.check()
	found, err := w.History(store.HistoryQuery{Name: "tenants/acme"})
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "kept", []uint64{6, 5, 4}, numbers(found))
	back, err := w.Undo(3, nil)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "image", lists(acme, list(t, "10.0.0.2")), back)
	_, undoErr := w.Undo(2, nil)
	_, revisionErr := w.Revision(3)
	for number, err := range map[uint64]error{2: undoErr, 3: revisionErr} {
		want := fmt.Sprintf("revision %d is no longer kept; the oldest that can be gone back to is 3", number)
		pruned := new(policy.Pruned)
		if !errors.As(err, &pruned) || pruned.Error() != want {
			t.Errorf("error = %q, want %q in it", text(err), want)
		}
	}
	w.put(lists(acme, nil), func(c *policy.Commit) { c.Reverts = 1 }) // too long ago to be marked
}

func testRetentionBytes(t *testing.T, open Open) {
	const limit = 20_000
	w := write(t, open(t, store.Config{MaxHistoryBytes: limit}))
	var big []string
	for i := range 100 {
		big = append(big, fmt.Sprintf("10.0.%d.0/24", i))
	}
	for i := range 20 {
		w.put(lists(acme, list(t, big[i:]...)), nil)
	}
	found, err := w.History(store.HistoryQuery{})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 2 || len(found) > 10 {
		t.Errorf("%d commits of 20 kept, want a few", len(found))
	}
	if oldest := found[len(found)-1].Number; found[0].Number != 20 || oldest != uint64(21-len(found)) {
		t.Errorf("kept %v, want the last ones", numbers(found))
	}
	// What alone is too much stays while it is the last.
	huge := list(t, "10.0.0.1")
	huge.Entries[0].Comment = strings.Repeat("x", limit)
	w.put(lists(acme, huge), nil)
	w.put(lists(acme, nil), nil)
	if found, err = w.History(store.HistoryQuery{}); err != nil || len(found) != 1 || found[0].Number != 22 {
		t.Errorf("kept %v, %v; want 22", numbers(found), err)
	}
}

func testRetentionPending(t *testing.T, open Open) {
	w := write(t, open(t, store.Config{MaxRevisions: 2}))
	pending := w.put(lists(system, list(t, "10.0.0.1")), func(c *policy.Commit) { c.Outcome = policy.Pending })
	for i := range 4 {
		w.put(lists(acme, list(t, fmt.Sprintf("10.0.0.%d", i))), nil)
	}
	found, err := w.Pending()
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "pending", []*policy.Commit{pending}, found)
	if err := w.Settle(pending.Number, policy.Confirmed, audit.Note{}); err != nil {
		t.Fatal(err)
	}
	w.put(lists(acme, nil), nil)
	kept, err := w.History(store.HistoryQuery{})
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "kept", []uint64{6, 5}, numbers(kept))
}
