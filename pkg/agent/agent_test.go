package agent

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

func TestStart(t *testing.T) {
	h := newHost(t)
	h.start()
	h.refuses()
	s := h.Status()
	got := fmt.Sprint(s.State, s.Why, s.Revision, s.Tenants, s.Lists, s.Entries, s.Reload.Err, s.Problems)
	if want := fmt.Sprint(OK, "", 1, 1, 4, 7, nil, policy.Problems(nil)); got != want {
		t.Errorf("status = %s, want %s", got, want)
	}
	if !h.kernel.filled || len(h.kernel.guarded) != 1 || h.kernel.guarded[0] != "eth0" {
		t.Errorf("guarded %v, filled first %t; want [eth0], true", h.kernel.guarded, h.kernel.filled)
	}
	h.until("what is in force is kept", func() bool { return h.kept() != nil && h.kept().State == h.Table().State })
	if h.store.path != "/var/lib/postern" {
		t.Errorf("store opened in %s", h.store.path)
	}
}

func TestRestartIsNoRevision(t *testing.T) {
	h := newHost(t)
	acme := strings.Replace(acme, "10.0.0.0/16,", "10.0.0.0/16, {address: 10.9.1.1, expires: 2027-01-31T00:00:00+05:45},", 1)
	h.write("lists.d/acme.yaml", acme)
	h.start()
	since := h.Status().Since
	h.clock.add(time.Hour)
	h.restart(func(*host) {})
	if s := h.Status(); s.Revision != 1 || !s.Since.Equal(since) {
		t.Errorf("revision %d since %v; want 1 since %v", s.Revision, s.Since, since)
	}
	before := h.Table()
	h.reads(func(h *host) { h.write("lists.d/acme.yaml", acme) })
	if h.Table() != before {
		t.Error("a file written again as it was put a revision in force")
	}
	h.refuses()
}

func TestEdit(t *testing.T) {
	h := newHost(t)
	h.start()
	h.reads(func(h *host) {
		h.write("lists.d/acme.yaml", strings.Replace(acme, "[10.0.0.0/16,", "[10.0.0.0/16, 10.1.0.0/16,", 1))
	})
	if !h.admits("data", netip.MustParseAddr("10.1.0.0")) {
		t.Error("the address added is refused")
	}
	if s := h.Status(); s.Revision != 2 || s.State != OK {
		t.Errorf("revision %d, %s: want 2, ok", s.Revision, s.State)
	}
	h.reads(func(h *host) { h.write("lists.d/acme.yaml", "tenant: acme\nlists: {}\n") })
	if n := len(h.Table().State.Tenants.Get("acme").Lists); n != 0 {
		t.Errorf("a file without lists left %d", n)
	}
	h.reads(func(h *host) { h.write("postern.yaml", strings.Replace(postern, "eth0", "eth1", 1)) })
	if h.kernel.guarded[0] != "eth1" {
		t.Errorf("guards %v, want [eth1]", h.kernel.guarded)
	}
}
