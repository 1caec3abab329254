package datapath

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/policy"
	te "github.com/postern-io/postern/pkg/testenv"
)

func listed(allow ...netip.Prefix) *policy.Set {
	return &policy.Set{V4: policy.FamilySet{Kind: policy.KindListed, Allow: allow}}
}

func unionOf(parts ...*policy.Set) *policy.Set {
	return &policy.Set{V4: policy.FamilySet{Kind: policy.KindListed}, Parts: parts}
}

var everybody = &policy.Set{V4: policy.FamilySet{Kind: policy.KindOpen}}

// guarded is a plan in which the tenant set of web4's port n+1 is sets[n].
func guarded(sets ...*policy.Set) *policy.Plan {
	p := &policy.Plan{Records: make([]policy.Record, 1), Classes: make([]policy.Class, 1)}
	for i, s := range sets {
		p.Records = append(p.Records, policy.Record{
			Endpoint: &policy.Endpoint{}, Name: string(rune('a' + i)), Tenant: s,
			Own: everybody,
		})
		p.Classes = append(p.Classes, policy.Class{Any: i + 1})
		p.TCP = append(p.TCP, policy.PortClass{First: uint16(i + 1), Last: uint16(i + 1), Class: i + 1})
	}
	return p
}

// many are n neighbouring /32, the first of which is 10.0.0.0, without merging.
func many(n int) []netip.Prefix {
	ps := make([]netip.Prefix, n)
	for i := range ps {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 10<<24|uint32(2*i))
		ps[i] = netip.PrefixFrom(netip.AddrFrom4(a), 32)
	}
	return ps
}

func admitsAt(t *testing.T, d *Datapath, port uint16, src string) bool {
	t.Helper()
	_, pass := verdict(t, d, from4(ip(src), web4, tcp(port)))
	return pass
}

// settledEntries are the entries once old lists are cleared away.
func settledEntries(t *testing.T, d *Datapath, want int) {
	t.Helper()
	te.Eventually(t, 5*time.Second, func() error {
		if got := d.Usage().Entries; got != want {
			return fmt.Errorf("%d entries, want %d", got, want)
		}
		return nil
	})
	if got := trieKeys(t, d); got != want {
		t.Errorf("the trie has %d keys, %d are counted", got, want)
	}
}

func trieKeys(t *testing.T, d *Datapath) int {
	t.Helper()
	n, key, value := 0, bpfKey4{}, uint32(0)
	it := d.loader.shared[bpfMapLists4].Iterate()
	for it.Next(&key, &value) {
		n++
	}
	if err := it.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEqualSetsAreLoadedOnce(t *testing.T) {
	d := newDatapath(t)
	s := listed(prefixes("10.0.0.0/8", "11.0.0.0/8")...)
	enforce(t, d, guarded(s, s, s))
	settledEntries(t, d, 2)
	enforce(t, d, guarded(s))
	settledEntries(t, d, 2)
	if !admitsAt(t, d, 1, "10.1.1.1") {
		t.Error("a set that a record still has is gone")
	}
	enforce(t, d, guarded())
	settledEntries(t, d, 0)
}

// A list that does not change keeps its number; one that does gets a new one.
func TestListsAreCopiedOnWrite(t *testing.T) {
	d := newDatapath(t)
	keep, old, next := listed(many(3)...), listed(many(2)...), listed(many(4)...)
	enforce(t, d, guarded(keep, old))
	kept, was := d.lists.sets[keep].words, d.lists.sets[old].words
	enforce(t, d, guarded(keep, next))
	if got := d.lists.sets[keep].words; got != kept {
		t.Errorf("an unchanged list is at %#x now, was %#x", got, kept)
	}
	if got := d.lists.sets[next].words; got == was {
		t.Errorf("a changed list is still at %#x", got)
	}
	settledEntries(t, d, 3+4)
}

// Beside another change a union is not edited where it stands: until the flip,
// packets would be judged by half a revision.
func TestUnionIsCopiedBesideAnotherChange(t *testing.T) {
	d := newDatapath(t)
	big, a, other := listed(many(editInPlace)...), listed(prefixes("192.0.2.0/25")...), listed(prefixes("198.51.100.0/24")...)
	from, to := unionOf(big, a), unionOf(big, a, other)
	enforce(t, d, guarded(from, a))
	was := d.lists.sets[from].words
	enforce(t, d, guarded(to, other))
	if d.lists.sets[to].words == was {
		t.Error("edited in place")
	}
	if !admitsAt(t, d, 1, "198.51.100.1") || !admitsAt(t, d, 2, "198.51.100.1") || admitsAt(t, d, 2, "192.0.2.1") {
		t.Error("not what the revision says")
	}
}

func TestUnions(t *testing.T) {
	big := listed(many(editInPlace)...)
	a, b := listed(prefixes("192.0.2.0/25")...), listed(prefixes("192.0.2.0/24")...)
	other := listed(prefixes("198.51.100.0/24")...)
	denying := &policy.Set{V4: policy.FamilySet{
		Kind:  policy.KindListed,
		Allow: prefixes("192.0.2.0/24"), Deny: prefixes("192.0.2.7/32"),
	}}
	tests := []struct {
		name     string
		from, to []*policy.Set
		inPlace  bool
		entries  int
		in, out  string
	}{
		{"part-added", []*policy.Set{big, a}, []*policy.Set{big, a, other}, true, editInPlace + 2, "198.51.100.1", "198.51.101.1"},
		{"part-removed", []*policy.Set{big, a, other}, []*policy.Set{big, a}, true, editInPlace + 1, "192.0.2.1", "198.51.100.1"},
		{"part-wider", []*policy.Set{big, a}, []*policy.Set{big, b}, true, editInPlace + 1, "192.0.2.200", "198.51.100.1"},
		{"part-elsewhere", []*policy.Set{big, a}, []*policy.Set{big, other}, false, editInPlace + 1, "198.51.100.1", "192.0.2.1"},
		{"small", []*policy.Set{a}, []*policy.Set{a, other}, false, 2, "198.51.100.1", "198.51.101.1"},
		{"deny-takes-nothing-from-a-neighbour", []*policy.Set{big, denying}, []*policy.Set{big, denying, b}, true, editInPlace + 9, "192.0.2.7", "192.0.3.7"},
		{"deny-of-the-only-part", []*policy.Set{big, other}, []*policy.Set{big, other, denying}, true, editInPlace + 9, "192.0.2.8", "192.0.2.7"},
		{"same-prefixes-in-two-parts", []*policy.Set{big, a, listed(many(3)...)}, []*policy.Set{big, a}, true, editInPlace + 1, "10.0.0.0", "10.0.0.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDatapath(t)
			from, to := unionOf(tt.from...), unionOf(tt.to...)
			enforce(t, d, guarded(from))
			was := d.lists.sets[from].words
			enforce(t, d, guarded(to))
			if got := d.lists.sets[to].words == was; got != tt.inPlace {
				t.Errorf("edited in place: %v, want %v", got, tt.inPlace)
			}
			settledEntries(t, d, tt.entries)
			if !admitsAt(t, d, 1, tt.in) {
				t.Errorf("%s is refused", tt.in)
			}
			if admitsAt(t, d, 1, tt.out) {
				t.Errorf("%s is admitted", tt.out)
			}
		})
	}
}

// A union that somebody else still has is not edited under them.
func TestSharedUnionIsNotEdited(t *testing.T) {
	d := newDatapath(t)
	big, other := listed(many(editInPlace)...), listed(prefixes("198.51.100.0/24")...)
	from, to := unionOf(big), unionOf(big, other)
	enforce(t, d, guarded(from, from))
	enforce(t, d, guarded(from, to))
	if admitsAt(t, d, 1, "198.51.100.1") || !admitsAt(t, d, 2, "198.51.100.1") {
		t.Error("an edit reached a record that has the union as it was")
	}
}

// What a revision that fails had loaded is gone, and the last good one stays.
func TestFailedRevisionLeavesNothing(t *testing.T) {
	good := guarded(listed(many(5)...), unionOf(listed(many(editInPlace)...)))
	bad := guarded(listed(many(6)...), unionOf(listed(many(editInPlace)...), listed(prefixes("198.51.100.0/24")...)))
	spoil := map[string]func(*Datapath) string{
		"too-many-prefixes": func(d *Datapath) string {
			d.lists.max = 5 + editInPlace + 6 // the first list fits, the copied union does not
			return "apply revision: load lists: 2060 prefixes, counting those being replaced, and only 1035 fit"
		},
		"not-what-was-loaded": func(d *Datapath) string {
			d.lists.tries[v4] = liar{d.lists.tries[v4]}
			return "apply revision: probe list 3 at 10.0.0.0: answers 0, not 1: the kernel does not hold what was loaded"
		},
		"not-what-was-edited": func(d *Datapath) string {
			d.lists.tries[v4] = liar{d.lists.tries[v4]}
			bad.Records[1] = good.Records[1]
			return "apply revision: probe list 2 at 198.51.100.0: answers 0, not 1: the kernel does not hold what was loaded"
		},
	}
	for _, name := range []string{"too-many-prefixes", "not-what-was-loaded", "not-what-was-edited"} {
		t.Run(name, func(t *testing.T) {
			d := newDatapath(t)
			enforce(t, d, good)
			settledEntries(t, d, 5+editInPlace)
			before := maps.Clone(d.lists.sets)
			want := spoil[name](d)
			if err := d.Apply(t.Context(), bad); err == nil || err.Error() != want {
				t.Fatalf("apply: %v, want %s", err, want)
			}
			settledEntries(t, d, 5+editInPlace)
			if !maps.Equal(before, d.lists.sets) {
				t.Error("the lists are not what they were")
			}
			if !admitsAt(t, d, 1, "10.0.0.8") || admitsAt(t, d, 1, "10.0.0.10") || admitsAt(t, d, 2, "198.51.100.1") {
				t.Error("the last good revision is not in force")
			}
			if l, lies := d.lists.tries[v4].(liar); lies {
				d.lists.tries[v4] = l.trie
			}
			enforce(t, d, good)
			settledEntries(t, d, 5+editInPlace)
		})
	}
}

// liar is a trie that forgets what it is given.
type liar struct{ trie }

func (liar) put(uint32, netip.Prefix, uint32) error { return nil }

// A plan that does not fit gets a larger generation; counters go on counting.
func TestGrowth(t *testing.T) {
	d := newDatapath(t)
	s := listed(many(3)...)
	enforce(t, d, guarded(s))
	first := d.gen
	if !admitsAt(t, d, 1, "10.0.0.2") {
		t.Fatal("not admitted before")
	}
	var sets []*policy.Set
	for range 100 {
		sets = append(sets, s)
	}
	enforce(t, d, guarded(sets...))
	if d.gen == first {
		t.Fatal("the generation is the same")
	}
	if !admitsAt(t, d, 100, "10.0.0.2") || admitsAt(t, d, 100, "10.0.0.3") {
		t.Error("the new generation does not enforce")
	}
	if got := counters(t, d).Endpoints["a"].Pass.Packets; got != 1 {
		t.Errorf("the endpoint passed %d packets, want the 1 from before", got)
	}
	settledEntries(t, d, 3)
	// A sweep comes after attaching, when the first generation may still be pinned.
	if err := d.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !admitsAt(t, d, 1, "10.0.0.2") {
		t.Error("the sweep drained the lists that are live")
	}
}

// What cannot be handed over is not in force anywhere.
func TestHandOverFails(t *testing.T) {
	d := newDatapath(t)
	s := listed(many(3)...)
	enforce(t, d, guarded(s))
	first := d.gen
	d.onProgram = func(Programs) error { return errors.New("eth9: gone") }
	free := d.names.room()
	var sets []*policy.Set
	for i := range 100 {
		sets = append(sets, listed(many(i+1)...))
	}
	const want = "apply revision: eth9: gone"
	if err := d.Apply(t.Context(), guarded(sets...)); err == nil || err.Error() != want {
		t.Fatalf("apply: %v, want %s", err, want)
	}
	if d.gen != first || !admitsAt(t, d, 1, "10.0.0.2") {
		t.Error("the last good revision is not in force")
	}
	settledEntries(t, d, 3)
	if got := d.names.room(); got != free {
		t.Errorf("%d slots are free, before %d", got, free)
	}
	if current, err := os.Readlink(filepath.Join(d.cfg.PinDir, currentName)); current != filepath.Base(first.dir) {
		t.Errorf("current is %q (%v), want %s", current, err, first.dir)
	}
	dirs, err := generationDirs(d.cfg.PinDir)
	if err != nil || len(dirs) != 1 || dirs[0] != first.dir {
		t.Errorf("pinned are %v (%v), want %s", dirs, err, first.dir)
	}
}

func TestDrain(t *testing.T) {
	te.Root(t)
	d := newDatapath(t)
	enforce(t, d, guarded(listed(many(3*batchSize+1)...)))
	if err := drain[bpfKey4](t.Context(), d.loader.shared[bpfMapLists4]); err != nil {
		t.Fatal(err)
	}
	if n := trieKeys(t, d); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}

func TestVerifierWork(t *testing.T) {
	d := newDatapath(t)
	enforce(t, d, guarded())
	for name, p := range d.gen.coll.Programs {
		info, err := p.Info()
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := info.VerifiedInstructions(); ok {
			t.Logf("%s: the verifier saw %d instructions", name, n)
			if n > 250_000 {
				t.Errorf("%s: %d verified instructions leave no room under the limit of a million", name, n)
			}
		}
	}
}
