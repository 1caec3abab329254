package access

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRate(t *testing.T) {
	at := &clock{at: noon}
	rate := NewRate(2, 0, at.now)
	take := func(id string, want Allowance) {
		t.Helper()
		if diff := cmp.Diff(want, rate.Take(id, "")); diff != "" {
			t.Error(diff)
		}
	}
	take("a", Allowance{OK: true, Limit: 2, Remaining: 1, Per: time.Hour, Reset: time.Hour})
	at.pass(20 * time.Minute)
	take("a", Allowance{OK: true, Limit: 2, Remaining: 0, Per: time.Hour, Reset: 40 * time.Minute})
	take("a", Allowance{Limit: 2, Remaining: 0, Per: time.Hour, Reset: 40 * time.Minute})
	take("b", Allowance{OK: true, Limit: 2, Remaining: 1, Per: time.Hour, Reset: time.Hour})
	at.pass(40 * time.Minute)
	take("a", Allowance{OK: true, Limit: 2, Remaining: 1, Per: time.Hour, Reset: time.Hour})
	take("b", Allowance{OK: true, Limit: 2, Remaining: 0, Per: time.Hour, Reset: 20 * time.Minute})

	if a := NewRate(0, 0, at.now).Take("a", ""); a.Limit != 1000 || a.Per != time.Hour {
		t.Errorf("the defaults are %+v", a)
	}
}

// A tenant that mints keys has no more requests for it than ten keys have.
func TestRateOfATenant(t *testing.T) {
	at := &clock{at: noon}
	rate := NewRate(2, 0, at.now)
	for i := range 20 {
		want := Allowance{OK: true, Limit: 2, Remaining: 1, Per: time.Hour, Reset: time.Hour}
		if i == 19 { // of the tenant's there is less
			want.Limit, want.Remaining = 20, 0
		}
		if diff := cmp.Diff(want, rate.Take(fmt.Sprint(i), "acme")); diff != "" {
			t.Error(diff)
		}
	}
	over := Allowance{Limit: 20, Remaining: 0, Per: time.Hour, Reset: time.Hour}
	for range 3 { // which cost the key nothing
		if diff := cmp.Diff(over, rate.Take("0", "acme")); diff != "" {
			t.Error(diff)
		}
	}
	for id, tenant := range map[string]string{"other": "globex", "staff": ""} {
		if !rate.Take(id, tenant).OK {
			t.Errorf("key %s of tenant %q pays for acme", id, tenant)
		}
	}
	at.pass(time.Hour)
	if diff := cmp.Diff(Allowance{OK: true, Limit: 2, Remaining: 1, Per: time.Hour, Reset: time.Hour}, rate.Take("0", "acme")); diff != "" {
		t.Error(diff)
	}
}

// The windows of 100,000 networks take no more room than those of two
// generations, and who fails on remains refused beside them.
func TestWindowsAreBounded(t *testing.T) {
	var f failures[netip.Prefix]
	most := f.bounds().subjects
	bad := netip.MustParsePrefix("192.0.2.7/32")
	for range failuresAllowed {
		f.add(bad, noon)
	}
	for i := range 100_000 {
		var a [16]byte
		binary.BigEndian.PutUint64(a[:], uint64(i)+0x2001<<48)
		f.add(network(netip.AddrFrom16(a)), noon)
		if n := len(f.young) + len(f.old); n > 2*most {
			t.Fatalf("%d subjects are kept, at most %d may be", n, 2*most)
		}
		if i == most && f.wait(bad, noon) == 0 {
			t.Error("forgotten after one generation")
		}
	}
}

func TestWindowsOutliveAGeneration(t *testing.T) {
	var f failures[string]
	f.add("other", noon)
	for range failuresAllowed {
		f.add("a", noon.Add(59*time.Second))
	}
	f.add("other", noon.Add(61*time.Second)) // begins a generation
	if wait := f.wait("a", noon.Add(62*time.Second)); wait != 57*time.Second {
		t.Errorf("a is refused for %v, want 57s", wait)
	}
	if wait := f.wait("a", noon.Add(119*time.Second)); wait != 0 {
		t.Errorf("a minute on a is refused for %v", wait)
	}
}

func TestNetwork(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"v4", "192.0.2.7", "192.0.2.7/32"},
		{"mapped", "::ffff:192.0.2.7", "192.0.2.7/32"},
		{"v6", "2001:db8::1:2:3:4", "2001:db8::/64"},
		{"zone", "fe80::1%eth0", "fe80::/64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := network(netip.MustParseAddr(tt.in)).String(); got != tt.want {
				t.Errorf("network(%s) = %s, want %s", tt.in, got, tt.want)
			}
		})
	}
	if p := network(netip.Addr{}); p.IsValid() {
		t.Errorf("no address is %v", p)
	}
}
