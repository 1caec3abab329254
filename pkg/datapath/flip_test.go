package datapath

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"github.com/postern-io/postern/pkg/policy"
	te "github.com/postern-io/postern/pkg/testenv"
)

const (
	flips  = 200
	frames = 10_000_000
	// wide keeps one packet in 512 for most of a millisecond between its look at the live
	// bank and its use of it.
	wide = 20_000
)

// flipPlans are two plans that agree about two packets and about nothing else:
// each list is new every time, and the records change places, so whoever reads a
// bank that is being written, or a list that is being removed, errs.
func flipPlans(turn int) *policy.Plan {
	set := func(allow ...string) *policy.Set {
		return policy.NewSet(prefixes(allow...), nil)
	}
	open := policy.NewSet(prefixes("0.0.0.0/0"), nil)
	web := policy.Record{Endpoint: &policy.Endpoint{}, Name: "web", Own: open, Tenant: set("198.51.100.0/24", "198.51.101.0/24")}
	alt := policy.Record{Endpoint: &policy.Endpoint{}, Name: "alt", Own: open, Tenant: set("203.0.113.0/24")}
	p := &policy.Plan{
		Records: policy.RecordsOf(web, alt),
		TCP:     []policy.PortClass{{First: 80, Last: 80, Class: 2}, {First: 443, Last: 443, Class: 1}},
	}
	w, a := 1, 2
	if turn%2 == 1 {
		p.Records = policy.RecordsOf(alt, web)
		w, a = 2, 1
	}
	p.Classes = []policy.Class{
		{},
		{Dests: []policy.Dest{{Prefix: prefixes("192.0.2.10/32")[0], Record: w}}},
		{Dests: []policy.Dest{{Prefix: prefixes("192.0.2.10/32")[0], Record: a}}},
	}
	return p
}

// The two packets differ in size, so that the counters tell them apart.
var (
	welcome = from4(listed4, web4, tcp(443))
	refused = from4(alien4, web4, tcp(443), te.Data{Bytes: make([]byte, 16)})
)

// flipUnderLoad replaces every list again and again while packets are judged,
// until there are enough of both or one is judged wrongly. It returns how many
// were judged and how many wrongly.
func flipUnderLoad(t *testing.T, d *Datapath, plans func(turn int) *policy.Plan, frames uint64) (judged, wrong uint64) {
	t.Helper()
	enforce(t, d, plans(0))
	program := d.Program().Plain
	ctx, cancel := context.WithCancel(t.Context())
	var load sync.WaitGroup
	var pause sync.RWMutex // packets and bytes are two reads
	defer load.Wait()
	defer cancel()
	for _, frame := range [][]byte{welcome, refused} {
		load.Go(func() {
			for ctx.Err() == nil {
				pause.RLock()
				_, err := program.Run(&ebpf.RunOptions{Data: frame, Repeat: 5000})
				pause.RUnlock()
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for turn := 1; wrong == 0 && (turn <= flips || judged < frames); turn++ {
		enforce(t, d, plans(turn))
		if judged, wrong = rightAndWrong(t, d); wrong != 0 {
			pause.Lock()
			judged, wrong = rightAndWrong(t, d)
			pause.Unlock()
		}
	}
	cancel()
	load.Wait()
	return rightAndWrong(t, d)
}

// rightAndWrong counts the verdicts so far.
func rightAndWrong(t *testing.T, d *Datapath) (all, wrong uint64) {
	t.Helper()
	for r, n := range counters(t, d).Reasons {
		small, large := uint64(len(welcome)), uint64(len(refused))
		refusals := (n.Bytes - n.Packets*small) / (large - small)
		welcomes := n.Packets - refusals
		all += n.Packets
		switch bpfReason(r) {
		case bpfReasonLISTED:
			wrong += refusals
		case bpfReasonNOT_LISTED_TENANT:
			wrong += welcomes
		default:
			wrong += n.Packets
		}
	}
	return all, wrong
}

// widened is a datapath whose program waits between its two loads.
func widened(t *testing.T, cfg Config) *Datapath {
	t.Helper()
	d := newDatapathWith(t, cfg)
	if err := d.loader.spec.Variables[bpfVarWiden].Set(uint32(wide)); err != nil {
		t.Fatal(err)
	}
	return d
}

// listPlans are plans whose one list changes in a slot, is another altogether or
// has another form, and agrees about the two packets all the while: whoever reads
// a node that was given back and written again errs.
func listPlans() func(turn int) *policy.Plan {
	always := prefixes("198.51.100.0/24", "198.51.101.0/24")
	base := spread(3000)
	large := listed(append(always, base...)...)
	return func(turn int) *policy.Plan {
		here := netip.PrefixFrom(form4{}.addr(198<<24|51<<16|uint32(turn%256)<<8), 24+turn%8)
		fresh := listed(append(slices.Clone(always), here)...)
		var set *policy.Set
		switch turn % 8 {
		case 0, 1, 2: // a list with a root
			set = policy.NewSet(slices.Concat(base, always, []netip.Prefix{here}), prefixes("198.51.102.0/24"))
		case 3, 4, 5: // a large union
			set = unionOf(large, fresh)
		case 6: // a tree
			set = unionOf(listed(many(200)...), fresh)
		case 7: // a line
			set = fresh
		}
		p := guarded(set)
		p.TCP[0].First, p.TCP[0].Last = 443, 443
		return p
	}
}

func TestFlips(t *testing.T) {
	plans := map[string]func(int) *policy.Plan{"places": flipPlans, "lists": listPlans()}
	for _, tt := range []struct {
		build    string
		datapath func(*testing.T) *Datapath
		frames   uint64
	}{
		{"normal", func(t *testing.T) *Datapath { return newDatapath(t) }, frames},
		{"widened", func(t *testing.T) *Datapath { return widened(t, Config{}) }, frames},
		{"tries", func(t *testing.T) *Datapath { return widened(t, bothAnswers["tries"]) }, frames / 10},
	} {
		for name, plan := range plans {
			t.Run(tt.build+"/"+name, func(t *testing.T) {
				judged, wrong := flipUnderLoad(t, tt.datapath(t), plan, tt.frames)
				if t.Logf("%d verdicts", judged); wrong != 0 {
					t.Errorf("%d of %d verdicts were wrong", wrong, judged)
				}
				if judged < tt.frames {
					t.Errorf("only %d verdicts, want %d", judged, tt.frames)
				}
			})
		}
	}
}

// TestFlipsNeedTheGracePeriod shows that TestFlips would notice: without the
// grace period the same packets are judged wrongly.
func TestFlipsNeedTheGracePeriod(t *testing.T) {
	for name, plans := range map[string]func(int) *policy.Plan{"places": flipPlans, "lists": listPlans()} {
		t.Run(name, func(t *testing.T) {
			d := widened(t, Config{})
			d.grace = func() error { return nil }
			judged, wrong := flipUnderLoad(t, d, plans, frames)
			if t.Logf("%d of %d verdicts were wrong", wrong, judged); wrong == 0 {
				t.Error("no verdict was wrong")
			}
		})
	}
}

// Where membarrier cannot wait, a map of maps does.
func TestFlipsWithTheOtherGracePeriod(t *testing.T) {
	d := widened(t, Config{})
	var err error
	if d.grace, err = newMapGrace(); err != nil {
		t.Fatal(err)
	}
	judged, wrong := flipUnderLoad(t, d, flipPlans, 0)
	if wrong != 0 {
		t.Errorf("%d of %d verdicts were wrong", wrong, judged)
	}
}

// A grace period that fails holds the next revision up, and loses nothing.
func TestGracePeriodFails(t *testing.T) {
	d := newDatapath(t)
	var broken atomic.Bool
	broken.Store(true)
	grace := d.grace
	d.grace = func() error {
		if broken.Load() {
			return errors.New("wait for packets in flight: interrupted")
		}
		return grace()
	}
	old, next := listed(many(3)...), listed(many(4)...)
	enforce(t, d, guarded(old))
	const want = "apply revision: wait for packets in flight: interrupted"
	for range 2 {
		if err := d.Apply(t.Context(), guarded(next)); err == nil || err.Error() != want {
			t.Fatalf("apply: %v, want %s", err, want)
		}
	}
	broken.Store(false)
	te.Eventually(t, 5*time.Second, func() error { return d.Apply(t.Context(), guarded(next)) })
	settled(t, d, 0)
}

func TestApplyAfterClose(t *testing.T) {
	d := newDatapath(t)
	enforce(t, d, guarded())
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	const want = "apply revision: the datapath is closed"
	if err := d.Apply(t.Context(), guarded()); err == nil || err.Error() != want {
		t.Errorf("apply: %v, want %s", err, want)
	}
}
