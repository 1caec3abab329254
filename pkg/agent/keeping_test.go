package agent

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"
	"unsafe"

	"github.com/postern-io/postern/pkg/policy"
)

var (
	errFull  = errors.New("no space left on device")
	betaFile = "tenant: beta\nlists: {\"*\": [10.0.7.0/24]}\n"
	tenantIs = func(tenant string, r *policy.TenantRecord) policy.Write {
		return policy.Write{Author: joe, Edit: func(d *policy.Draft) error { return d.SetRecord(tenant, r) }}
	}
	pending = func(w policy.Write) policy.Write { w.Confirm = 90 * time.Second; return w }
)

// TestNothingVanishes has beta's list written, then things go wrong with what keeps
// it: at no time may beta's endpoint be open to who is not on it.
func TestNothingVanishes(t *testing.T) {
	tests := []struct {
		name  string
		wrong func(*host)
	}{
		{"another-store-after-a-revision-without-one", func(h *host) {
			h.restart(func(h *host) { h.wrote = &writings{id: "one", damage: errors.New("damaged")} })
			h.reads(func(h *host) { h.write("lists.d/gamma.yaml", "tenant: gamma\nlists: {}\n") })
			h.restart(func(h *host) { h.wrote = &writings{id: "two"} })
		}},
		{"another-store-after-a-revision-that-was-not-committed", func(h *host) {
			h.wrote.fill(errFull)
			h.reads(func(h *host) { h.write("lists.d/gamma.yaml", "tenant: gamma\nlists: {}\n") })
			h.restart(func(h *host) { h.wrote = &writings{id: "two"} })
		}},
		{"neither-store-nor-snapshot-opens", func(h *host) {
			h.restart(func(h *host) { h.wrote.damage, h.store.damage = errors.New("locked"), errors.New("locked") })
		}},
		{"the-way-back-from-a-failed-write-fails", func(h *host) {
			h.wrote.fill(errFull)
			h.kernel.failAfter(1, errors.New("no memory"))
			if _, err := h.Write(h.t.Context(), h.put(betas, listOf(h.t, "0.0.0.0/0"))); !errors.Is(err, policy.ErrNotKept) {
				h.t.Errorf("error = %v", err)
			}
			plans := h.kernel.count()
			h.local <- policy.Host{Local: []netip.Prefix{netip.MustParsePrefix("192.0.2.9/32")}}
			h.until("the revision is renewed", func() bool { return h.kernel.count() > plans })
			h.until("it is the one before", func() bool { return !h.admits("beta", inside) })
		}},
		{"adopted-and-not-confirmed", func(h *host) {
			h.must(h.put(betas, nil))
			h.reads(func(h *host) { h.write("lists.d/beta.yaml", betaFile) })
			h.reads(func(h *host) { h.remove("lists.d/beta.yaml") })
			adopt := policy.Write{Edit: func(d *policy.Draft) error { return d.Adopt(betas) }}
			want := "a list that the store takes over from its file cannot be given back; leave confirm out"
			if _, err := h.Write(h.t.Context(), pending(adopt)); text(err) != want {
				h.t.Errorf("error = %v, want %s", err, want)
			}
			h.must(adopt)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := withBeta(t)
			h.start()
			h.must(h.put(betas, listOf(t, "10.0.7.0/24")))
			h.until("it is kept", func() bool { return h.kept() != nil && h.kept().State == h.Table().State })
			tt.wrong(h)
			if h.admits("beta", inside) {
				t.Errorf("beta is open; %s", h.Status().Why)
			}
		})
	}
}

// TestStoreBeforeSnapshot kills an agent after a write that took a list over from a
// file, before the snapshot is saved.
func TestStoreBeforeSnapshot(t *testing.T) {
	h := withBeta(t)
	h.write("lists.d/beta.yaml", betaFile)
	h.start()
	h.until("it is kept", func() bool { return h.kept() != nil })
	kept := h.kept()
	h.reads(func(h *host) { h.write("lists.d/beta.yaml", "tenant: beta\nlists: {}\n") })
	h.must(h.put(betas, listOf(t, "10.0.8.0/24")))
	h.restart(func(h *host) { h.store.rev = kept })
	if l := h.Table().State.ListAt(betas); l == nil || l.Owner != "" || h.admits("beta", inside) {
		t.Errorf("the write is lost: the list is %+v", l)
	}
}

// TestTakenBack shows what becomes of what nobody confirmed when something else
// has changed meanwhile.
func TestTakenBack(t *testing.T) {
	other := policy.Place{Scope: policy.ScopeTenant, Tenant: "beta", Resource: "webUI"}
	tests := []struct {
		name      string
		meanwhile func(*host)
		want      func(*policy.State) bool
	}{
		{"a-file-took-one-of-two-lists", func(h *host) {
			h.must(pending(h.put(other, listOf(t, "10.0.0.0/8"))))
			h.must(pending(h.put(betas, listOf(t, "10.0.7.0/24"))))
			h.write("lists.d/beta.yaml", betaFile)
			if err := h.Reload(t.Context(), ReloadOptions{Cede: []policy.Place{betas}}); err != nil {
				t.Fatal(err)
			}
		}, func(s *policy.State) bool { return s.ListAt(other) == nil && s.ListAt(betas).Owner != "" }},
		{"the-tenant-was-there-by-this-list-alone", func(h *host) {
			h.must(h.put(betas, listOf(t, "10.0.7.0/24")))
			h.must(pending(h.put(betas, nil)))
			h.reads(func(h *host) { h.write("postern.yaml", postern) })
		}, func(s *policy.State) bool { return s.ListAt(betas) != nil }},
		{"no-file-has-the-endpoint", func(h *host) {
			h.must(pending(policy.Write{Edit: func(d *policy.Draft) error {
				return d.Secure("beta", listOf(t, "10.0.7.0/24"), policy.VerifyAnd, nil)
			}}))
			h.reads(func(h *host) { h.write("postern.yaml", postern) })
		}, func(s *policy.State) bool { return s.Endpoint("beta") == nil && len(s.Dormant) == 0 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := withBeta(t)
			h.start()
			tt.meanwhile(h)
			h.clock.add(2 * time.Minute)
			h.until("nothing is pending", func() bool { return len(h.Status().Pending) == 0 })
			if !tt.want(h.Table().State) {
				t.Errorf("it is not as it was: %s", h.Status().Why)
			}
		})
	}
}

// TestTakenBackAtStart starts with an overdue revision whose undoing does not
// compile: a file has taken the host's name. Nothing else suffers.
func TestTakenBackAtStart(t *testing.T) {
	h := withBeta(t)
	h.start()
	h.must(tenantIs("gamma", &policy.TenantRecord{Hosts: []string{"g.example.com"}}))
	h.must(pending(tenantIs("gamma", &policy.TenantRecord{Hosts: []string{"other.example.com"}})))
	h.reads(func(h *host) {
		h.write("lists.d/delta.yaml", "tenant: delta\nhosts: [g.example.com]\nlists: {}\n")
	})
	h.restart(func(h *host) { h.clock.add(2 * time.Minute) })
	if !h.admits("data", inside) || h.Status().State != Degraded {
		t.Errorf("%s: %s", h.Status().State, h.Status().Why)
	}
	h.refuses()
}

// TestDropKeepsTheStore drops the lists of a file that is gone: what the store has
// of its tenant stays, and what the file had of its record does not.
func TestDropKeepsTheStore(t *testing.T) {
	h := withBeta(t)
	h.start()
	h.must(tenantIs("gamma", &policy.TenantRecord{Name: "Gamma"}))
	h.must(h.put(policy.Place{Scope: policy.ScopeTenant, Tenant: "beta", Resource: "webUI"}, listOf(t, "10.0.0.0/8")))
	h.reads(func(h *host) {
		h.write("lists.d/gamma.yaml", "tenant: gamma\nlists: {\"*\": [10.0.0.0/16]}\n")
		h.write("lists.d/beta.yaml", "hosts: [b.example.com]\n"+betaFile)
	})
	h.reads(func(h *host) {
		h.remove("lists.d/gamma.yaml")
		h.remove("lists.d/beta.yaml")
	})
	for _, file := range []string{"lists.d/gamma.yaml", "lists.d/beta.yaml"} {
		if _, err := h.DropLists(t.Context(), h.path(file), By{Author: policy.Author{Name: "ann"}, Reason: "left"}); err != nil {
			t.Fatal(err)
		}
		if c := h.wrote.commits[len(h.wrote.commits)-1]; c.Author.Name != "ann" || c.Reason != "left" {
			t.Errorf("history has %+v", c)
		}
	}
	if r := h.Table().State.Tenants.Get("gamma").Record(); r == nil || r.Name != "Gamma" {
		t.Errorf("the store's record is %+v", r)
	}
	h.must(tenantIs("beta", &policy.TenantRecord{Name: "Beta"}))
}

// TestClockSetBack reads a clock whose display goes back while what Go keeps beside
// it goes on.
func TestClockSetBack(t *testing.T) {
	at := time.Now()
	back := at.Add(time.Millisecond)
	*(*uint64)(unsafe.Pointer(&back)) -= 3600 << 30 // the seconds on display
	c := clock{wall: func() time.Time { return at }}
	before := c.now()
	c.wall = func() time.Time { return back }
	if after := c.now(); after.Before(before.Round(0)) {
		t.Errorf("it went back from %v to %v", before, after)
	}
}

// TestRevertOnAFullDisk does not put the kernel back and forth.
func TestRevertOnAFullDisk(t *testing.T) {
	h := withBeta(t)
	h.start()
	h.must(pending(h.put(betas, listOf(t, "10.0.7.0/24"))))
	h.wrote.fill(errFull)
	plans := h.kernel.count()
	h.clock.add(2 * time.Minute)
	h.until("it is tried", func() bool { return h.Status().State == Degraded })
	for range 4 { // some turns of the loop
		if err := h.Reload(context.Background(), ReloadOptions{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(tick)
	}
	if n := h.kernel.count() - plans; n > 2 {
		t.Errorf("%d plans were applied", n)
	}
}
