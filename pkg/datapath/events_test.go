package datapath

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	te "github.com/postern-io/postern/pkg/testenv"
)

// listen collects events until the test ends.
func listen(t *testing.T, d *Datapath) <-chan Event {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	events, done := make(chan Event, 10_000), make(chan error, 1)
	go func() { done <- d.Events(ctx, func(e Event) { events <- e }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("events: %v", err)
		}
	})
	return events
}

func next(t *testing.T, events <-chan Event) Event {
	t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(5 * time.Second):
		t.Fatal("no event within 5 s")
		return Event{}
	}
}

func TestEvents(t *testing.T) {
	tests := []struct {
		name  string
		frame []byte
		want  Event
	}{
		{"alien", from4(alien4, web4, tcp(443)), Event{
			Reason: Reason(bpfReasonNOT_LISTED_TENANT), Endpoint: "web4", Protocol: 6,
			Source: netip.AddrPortFrom(alien4, 40000), Destination: netip.AddrPortFrom(web4, 443),
		}},
		{"alien-ipv6", from6(alien6, web6, udp(53)), Event{
			Reason: Reason(bpfReasonNOT_LISTED_TENANT), Endpoint: "dns6", Protocol: 17,
			Source: netip.AddrPortFrom(alien6, 40000), Destination: netip.AddrPortFrom(web6, 53),
		}},
		{"would-drop", from4(alien4, watched4, tcp(443)), Event{
			Reason: Reason(bpfReasonNOT_LISTED_TENANT), WouldDrop: true, Endpoint: "watched4", Protocol: 6,
			Source: netip.AddrPortFrom(alien4, 40000), Destination: netip.AddrPortFrom(watched4, 443),
		}},
		{"later-fragment", frame(te.IPv4{Src: alien4, Dst: watched4, Offset: 1480}, data(6)), Event{
			Reason: Reason(bpfReasonFRAGMENT), WouldDrop: true, Endpoint: "watched4", Protocol: 6,
			Source: netip.AddrPortFrom(alien4, 0), Destination: netip.AddrPortFrom(watched4, 0),
		}},
		{"without-addresses", frame(te.Data{Protocol: 0x8847, Bytes: make([]byte, 46)}), Event{
			Reason: Reason(bpfReasonMPLS_DROPPED),
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDatapath(t) // with nothing of its limit used
			enforce(t, d, compile(t, rowState(), rowHost))
			events, before := listen(t, d), time.Now()
			judge(t, d, d.Program().Plain, tt.frame)
			got := next(t, events)
			if got.Time.Before(before) {
				t.Errorf("its time is %v, before the packet's", got.Time)
			}
			ignored := cmpopts.IgnoreFields(Event{}, "Time", "Interface", "Suppressed")
			if diff := cmp.Diff(tt.want, got, ignored, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Under a flood few events come, and none is forgotten: each says for how many it
// stands.
func TestEventsAreLimited(t *testing.T) {
	d := newDatapath(t)
	enforce(t, d, compile(t, rowState(), rowHost))
	events := listen(t, d)
	if _, _, err := d.Program().Plain.Benchmark(from4(alien4, web4, tcp(443)), 50_000, nil); err != nil {
		t.Fatal(err)
	}
	refused := counters(t, d).Reasons[Reason(bpfReasonNOT_LISTED_TENANT)].Packets
	lost := counters(t, d).EventsLost
	told := refused - lost
	if told == 0 || lost == 0 || told > refused/10 {
		t.Fatalf("of %d refusals %d were told of", refused, told)
	}
	var suppressed uint64
	for range told {
		suppressed += next(t, events).Suppressed
	}
	if suppressed > lost {
		t.Errorf("events stand for %d others, but only %d were not told of", suppressed, lost)
	}
}
