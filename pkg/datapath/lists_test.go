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
	return policy.NewSet(allow, nil)
}

func unionOf(parts ...*policy.Set) *policy.Set {
	return policy.UnionOf(parts...)
}

var everybody = policy.NewSet(prefixes("0.0.0.0/0"), nil)

// guarded is a plan in which the tenant set of web4's port n+1 is sets[n].
func guarded(sets ...*policy.Set) *policy.Plan {
	p := &policy.Plan{Classes: make([]policy.Class, 1)}
	var records []policy.Record
	for i, s := range sets {
		records = append(records, policy.Record{
			Endpoint: &policy.Endpoint{}, Name: string(rune('a' + i)), Tenant: s,
			Own: everybody,
		})
		p.Classes = append(p.Classes, policy.Class{Any: i + 1})
		p.TCP = append(p.TCP, policy.PortClass{First: uint16(i + 1), Last: uint16(i + 1), Class: i + 1})
	}
	p.Records = policy.RecordsOf(records...)
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

// settled waits until what was replaced is cleared away, and checks that nothing
// else is held than the lists: no node twice, none for nothing.
func settled(t *testing.T, d *Datapath, entries int) {
	t.Helper()
	te.Eventually(t, 5*time.Second, func() error {
		if got := d.Usage().Entries; got != entries {
			return fmt.Errorf("%d entries, want %d", got, entries)
		}
		return nil
	})
	if got := trieKeys(t, d); got != entries {
		t.Errorf("the trie has %d keys, %d are counted", got, entries)
	}
	if err := d.awaitSettled(t.Context()); err != nil {
		t.Fatal(err)
	}
	owner, used := map[uint32]*policy.Set{}, 0
	for s, on := range d.gen.lists.sets {
		for family, word := range on.words {
			for _, r := range d.gen.lists.index[family].runs(word) {
				n := roundUp(r.n)
				used += n
				for i := range uint32(n) {
					if other := owner[r.at+i]; other != nil {
						t.Fatalf("node %d belongs to %p and %p", r.at+i, other, s)
					}
					owner[r.at+i] = s
				}
			}
		}
	}
	if got := int(d.gen.lists.nodes.used.Load()); got != used {
		t.Errorf("%d nodes are in use, the lists have %d", got, used)
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
	for name, cfg := range bothAnswers {
		t.Run(name, func(t *testing.T) {
			d := newDatapathWith(t, cfg)
			entries := 0
			if name == "tries" {
				entries = 2
			}
			s := listed(prefixes("10.0.0.0/8", "12.0.0.0/8")...)
			enforce(t, d, guarded(s, s, s))
			settled(t, d, entries)
			enforce(t, d, guarded(s))
			settled(t, d, entries)
			if !admitsAt(t, d, 1, "10.1.1.1") {
				t.Error("a set that a record still has is gone")
			}
			enforce(t, d, guarded())
			settled(t, d, 0)
		})
	}
}

// A list that does not change stays where it is; one that does is somewhere else.
func TestListsAreCopiedOnWrite(t *testing.T) {
	for name, cfg := range bothAnswers {
		t.Run(name, func(t *testing.T) {
			d := newDatapathWith(t, cfg)
			keep, old, next := listed(many(3)...), listed(many(2)...), listed(many(4)...)
			enforce(t, d, guarded(keep, old))
			kept, was := d.gen.lists.sets[keep].words, d.gen.lists.sets[old].words
			enforce(t, d, guarded(keep, next))
			if got := d.gen.lists.sets[keep].words; got != kept {
				t.Errorf("an unchanged list is at %#x now, was %#x", got, kept)
			}
			if got := d.gen.lists.sets[next].words; got == was {
				t.Errorf("a changed list is still at %#x", got)
			}
			if name == "tries" {
				settled(t, d, 3+4)
			} else {
				settled(t, d, 0)
			}
		})
	}
}

// What a revision that fails had loaded is gone, and the last good one stays.
func TestFailedRevisionLeavesNothing(t *testing.T) {
	good := guarded(listed(many(5)...), unionOf(listed(many(unionFrom)...), listed(prefixes("192.0.2.0/24")...)))
	bad := guarded(listed(many(6)...), unionOf(listed(many(unionFrom)...), listed(prefixes("198.51.100.0/24")...)))
	tests := []struct {
		name    string
		cfg     Config
		entries int // of the good revision
		spoil   func(*Datapath)
		want    string
	}{
		{
			"too-many-prefixes", bothAnswers["tries"], 5 + unionFrom + 1,
			func(d *Datapath) { d.loader.tries.max = 5 + unionFrom + 1 + 6 }, // the first list fits, the union does not
			"apply revision: load lists: no room in the kernel: 8205 prefixes, counting those being replaced, and only 4108 fit",
		},
		{
			"not-what-was-loaded", bothAnswers["tries"], 5 + unionFrom + 1,
			func(d *Datapath) { d.loader.tries.family[v4] = liar{d.loader.tries.family[v4]} },
			"apply revision: probe list 3 at 10.0.0.0: answers 0, not 1: the kernel does not hold what was loaded",
		},
		{
			"not-what-was-indexed",
			Config{},
			0,
			func(d *Datapath) { d.gen.lists.nodes.mem = make([]bpfNode, len(d.gen.nodes)) },
			"",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDatapathWith(t, tt.cfg)
			enforce(t, d, good)
			settled(t, d, tt.entries)
			before := maps.Clone(d.gen.lists.sets)
			unspoilt := d.gen.lists.nodes.mem
			tt.spoil(d)
			err := d.Apply(t.Context(), bad)
			if tt.want != "" && (err == nil || err.Error() != tt.want) || !errors.Is(err, errProbe) && tt.want == "" {
				t.Fatalf("apply: %v, want %s", err, tt.want)
			}
			d.gen.lists.nodes.mem = unspoilt
			settled(t, d, tt.entries)
			if !maps.Equal(before, d.gen.lists.sets) {
				t.Error("the lists are not what they were")
			}
			if !admitsAt(t, d, 1, "10.0.0.8") || admitsAt(t, d, 1, "10.0.0.10") || admitsAt(t, d, 2, "198.51.100.1") {
				t.Error("the last good revision is not in force")
			}
			if l, lies := d.loader.tries.family[v4].(liar); lies {
				d.loader.tries.family[v4] = l.trie
			}
			enforce(t, d, good)
			settled(t, d, tt.entries)
		})
	}
}

// Beyond the budget the tries answer, and what they answer is the same.
func TestIndexBudget(t *testing.T) {
	d := newDatapathWith(t, Config{MaxIndexBytes: 100 * nodeBytes})
	tests := []struct {
		name        string
		lists, from int // of 28 nodes each, from so many addresses on
		trees       bool
		tries       bool
	}{
		{"too-many", 6, 200, true, true},
		{"all-of-them-others", 6, 201, false, true}, // while the last ones are still there
		{"fewer", 3, 210, true, false},
		{"all-of-the-fewer-others", 3, 211, true, false}, // packed anew
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var sets []*policy.Set
			for i := range tt.lists {
				sets = append(sets, listed(many(tt.from+i)...))
			}
			enforce(t, d, guarded(sets...))
			kinds := map[bpfKind]int{}
			for _, on := range d.gen.lists.sets {
				kinds[kindOf(on.words[v4])]++
			}
			if kinds[bpfKindTREE] > 0 != tt.trees || kinds[bpfKindTRIE] > 0 != tt.tries {
				t.Errorf("lists are answered by %v", kinds)
			}
			if got := d.Usage().InTries; got != kinds[bpfKindTRIE] {
				t.Errorf("%d lists are said to be in the tries, want %d", got, kinds[bpfKindTRIE])
			}
			for i := range tt.lists {
				last := form4{}.addr(10<<24 + uint32(2*(tt.from+i-1)))
				if !admitsAt(t, d, uint16(i+1), last.String()) || admitsAt(t, d, uint16(i+1), last.Next().Next().String()) {
					t.Errorf("list %d does not end at %v", i, last)
				}
			}
		})
	}
	enforce(t, d, guarded())
	settled(t, d, 0)
}

// An index that is full is packed anew, in a generation with more room.
func TestIndexGrows(t *testing.T) {
	d := newDatapath(t)
	enforce(t, d, guarded(listed(many(3)...)))
	first := d.gen
	large := listed(many(100_000)...)
	enforce(t, d, guarded(large, listed(many(3)...)))
	if d.gen == first {
		t.Fatal("the generation is the same")
	}
	if !admitsAt(t, d, 1, "10.0.0.8") || admitsAt(t, d, 1, "10.0.0.9") || !admitsAt(t, d, 2, "10.0.0.4") {
		t.Error("the new generation does not enforce")
	}
	settled(t, d, 0)
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
	settled(t, d, 0)
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
	settled(t, d, 0)
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
	d := newDatapathWith(t, bothAnswers["tries"])
	enforce(t, d, guarded(listed(many(3*batchSize+1)...)))
	if err := drain[bpfKey4](t.Context(), d.loader.shared[bpfMapLists4]); err != nil {
		t.Fatal(err)
	}
	if n := trieKeys(t, d); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}
