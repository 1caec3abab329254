package main

import (
	"strings"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/api/v1"
)

func TestSize(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 1049: "1.0 kB", 999_949: "999.9 kB", 999_951: "1.0 MB", 1_500_000_000: "1.5 GB",
	} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	for before, want := range map[time.Duration]string{
		1500 * time.Millisecond: "1s ago", 59 * time.Second: "59s ago", 90 * time.Minute: "1h ago", 100 * time.Hour: "4d ago",
	} {
		if got := ago(time.Now().Add(-before)); got != want {
			t.Errorf("ago of %v = %q, want %q", before, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	var tab table
	tab.add(bold, "A", "LONG", "C")
	tab.add(plain, "naïve", "x", "")
	tab.add(red, "z", "y", "w")
	var b strings.Builder
	tab.write(&b, &console{colour: true})
	want := "\x1b[1mA      LONG  C\x1b[0m\nnaïve  x\n\x1b[31mz      y     w\x1b[0m\n"
	if b.String() != want {
		t.Errorf("got\n%q\nwant\n%q", b.String(), want)
	}
}

func TestEventLine(t *testing.T) {
	at := time.Date(2026, 6, 1, 12, 30, 1, 500e6, time.Local)
	tests := []struct {
		name string
		e    v1.Event
		want string
	}{
		{
			"kernel",
			v1.Event{
				Time: at, Where: "kernel", Verdict: "deny", Reason: "not-listed", Protocol: "tcp",
				Source: "2001:db8::7", SourcePort: 4411, Destination: "2001:db8::10", DestinationPort: 443,
				Endpoint: "acme-data", Interface: "eth0", Suppressed: 12,
			},
			"12:30:01.500 deny kernel not-listed [2001:db8::7]:4411 -> [2001:db8::10]:443 tcp endpoint=acme-data on=eth0 (12 before it untold)",
		},
		{
			"gate",
			v1.Event{Time: at, Where: "gate", Verdict: "would-deny", Reason: "no-address", Endpoint: "portal", Trace: "t-1"},
			"12:30:01.500 would-deny gate no-address endpoint=portal trace=t-1",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := eventLine(tt.e); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
