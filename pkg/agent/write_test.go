package agent

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

var (
	betas  = policy.Place{Scope: policy.ScopeTenant, Tenant: "beta", Resource: "*"}
	joe    = policy.Author{Name: "joe"}
	listed = netip.MustParseAddr("10.0.7.7")
)

func listOf(t *testing.T, texts ...string) *policy.List {
	t.Helper()
	l := &policy.List{}
	for _, text := range texts {
		r, err := addr.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		l.Entries = append(l.Entries, policy.Entry{Text: text, Range: r})
	}
	return l
}

// withBeta is a host with an endpoint of beta's, whose lists no file has.
func withBeta(t *testing.T) *host {
	h := newHost(t)
	h.write("postern.yaml", postern+"  - {name: beta, ports: [444], tenants: [beta]}\n")
	return h
}

func (h *host) put(at policy.Place, l *policy.List) policy.Write {
	return policy.Write{Author: joe, Origin: "api", Edit: func(d *policy.Draft) error { return d.SetList(at, l) }}
}

func (h *host) must(w policy.Write) policy.Receipt {
	h.t.Helper()
	r, err := h.Write(h.t.Context(), w)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func TestWrite(t *testing.T) {
	h := withBeta(t)
	h.start()
	r := h.must(h.put(betas, listOf(h.t, "10.0.7.0/24")))
	if r.Commit == nil || r.Commit.Number != 2 || r.Commit.Author != joe || fmt.Sprint(r.Commit.Names) != "[tenants/beta/*]" {
		t.Errorf("commit = %+v", r.Commit)
	}
	if h.admits("beta", inside) || !h.admits("beta", listed) {
		t.Error("the list written is not in force when Write returns")
	}
	if s := h.Status(); s.Revision != 2 || s.State != OK {
		t.Errorf("revision %d, %s %s", s.Revision, s.State, s.Why)
	}
	if again := h.must(h.put(betas, listOf(h.t, "10.0.7.0/24"))); again.Commit != nil || h.Status().Revision != 2 {
		t.Errorf("writing the same again made revision %d", h.Status().Revision)
	}
	h.reads(func(h *host) {
		h.write("lists.d/acme.yaml", strings.Replace(acme, "10.0.0.0/16,", "10.0.0.0/16, 10.3.0.0/16,", 1))
	})
	for range 2 {
		if h.admits("beta", inside) || !h.admits("beta", listed) || h.Status().Revision != 3 {
			t.Errorf("the store's list did not stay beside the files'; revision %d", h.Status().Revision)
		}
		h.restart(func(*host) {})
	}
	h.refuses()
}

func TestWriteDryRun(t *testing.T) {
	h := withBeta(t)
	h.start()
	w := h.put(betas, listOf(h.t, "10.0.7.0/24"))
	w.DryRun = true
	r := h.must(w)
	if r.Commit != nil || r.After.DecidePacket(r.After.State.Endpoint("beta"), inside).Allow {
		t.Errorf("a dry run: commit %+v, or the table after it admits too much", r.Commit)
	}
	if !h.admits("beta", inside) || h.Status().Revision != 1 {
		t.Error("a dry run changed something")
	}
}

func TestWriteRefused(t *testing.T) {
	stop := errors.New("stop")
	tests := []struct {
		name  string
		write func(*host) policy.Write
		err   string
	}{
		{"by-the-edit", func(h *host) policy.Write {
			return policy.Write{Edit: func(d *policy.Draft) error {
				return errors.Join(d.SetList(betas, listOf(h.t, "10.0.0.1")), stop)
			}}
		}, "stop"},
		{"by-the-check", func(h *host) policy.Write {
			w := h.put(betas, listOf(h.t, "10.0.0.1"))
			w.Check = func(step policy.Transition) error {
				if step.Before.State.ListAt(betas) != nil || step.After.State.ListAt(betas) == nil {
					h.t.Error("the check is not shown the change")
				}
				return stop
			}
			return w
		}, "stop"},
		{"owned-by-a-file", func(h *host) policy.Write {
			return h.put(policy.Place{Scope: policy.ScopeTenant, Tenant: "acme", Resource: "*"}, nil)
		}, "list tenants/acme/* stands in lists.d/acme.yaml"},
		{"of-an-unknown-resource", func(h *host) policy.Write {
			at := betas
			at.Resource = "dataAcess"
			return h.put(at, listOf(h.t, "10.0.0.1"))
		}, `resource "dataAcess" is unknown; did you mean dataAccess?`},
		{"by-the-kernel", func(h *host) policy.Write {
			h.kernel.fail(policy.ErrNoRoom)
			return h.put(betas, listOf(h.t, "10.0.0.1"))
		}, "no room in the kernel"},
		{"by-the-store", func(h *host) policy.Write {
			h.wrote.fill(errors.New("no space left on device"))
			return h.put(betas, listOf(h.t, "10.0.0.1"))
		}, "not kept: no space left on device"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := withBeta(t)
			h.start()
			_, err := h.Write(t.Context(), tt.write(h))
			if got := h.here(text(err)); got != tt.err {
				t.Errorf("error = %q, want %q", got, tt.err)
			}
			if !h.admits("beta", inside) || h.Status().Revision != 1 || len(h.wrote.commits) != 1 {
				t.Errorf("a refused write changed something: revision %d, %d commits", h.Status().Revision, len(h.wrote.commits))
			}
			h.kernel.fail(nil)
			h.wrote.fill(nil)
			if h.must(h.put(betas, listOf(h.t, "10.0.7.0/24"))); h.admits("beta", inside) {
				t.Error("the next write is not in force")
			}
		})
	}
}

// TestConfirm shows a write taken back, confirmed, and both with the agent ended
// in between.
func TestConfirm(t *testing.T) {
	one := policy.Place{Scope: policy.ScopeTenant, Tenant: "beta", Resource: "webUI"}
	tests := []struct {
		name    string
		between func(*host, uint64)
		reverts bool
	}{
		{name: "forgotten", between: func(h *host, _ uint64) { h.clock.add(2 * time.Minute) }, reverts: true},
		{name: "forgotten-and-restarted", between: func(h *host, _ uint64) { h.restart(func(h *host) { h.clock.add(2 * time.Minute) }) }, reverts: true},
		{name: "forgotten-after-a-restart", between: func(h *host, _ uint64) {
			h.restart(func(*host) {})
			h.clock.add(2 * time.Minute)
		}, reverts: true},
		{name: "confirmed", between: func(h *host, n uint64) {
			if err := h.Confirm(h.t.Context(), n, joe); err != nil {
				h.t.Error(err)
			}
			h.clock.add(2 * time.Minute)
		}},
		{name: "confirmed-and-restarted", between: func(h *host, n uint64) {
			h.restart(func(*host) {})
			if err := h.Confirm(h.t.Context(), n, joe); err != nil {
				h.t.Error(err)
			}
			h.restart(func(h *host) { h.clock.add(2 * time.Minute) })
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := withBeta(t)
			h.start()
			w := h.put(betas, listOf(t, "10.0.7.0/24"))
			w.Confirm = 90 * time.Second
			n := h.must(w).Commit.Number
			later := h.put(one, listOf(t, "10.0.0.0/8"))
			later.Confirm = time.Hour // a second one, side by side
			h.must(later)
			var locked *policy.Locked
			if _, err := h.Write(t.Context(), h.put(betas, nil)); !errors.As(err, &locked) || locked.Revision != n {
				t.Errorf("writing what waits to be confirmed: %v", err)
			}
			if got := len(h.Status().Pending); got != 2 {
				t.Errorf("status tells of %d to be confirmed, want 2", got)
			}
			tt.between(h, n)
			left := 1
			h.until("one is settled", func() bool { return len(h.Status().Pending) == left })
			if gone := h.Table().State.ListAt(betas) == nil; gone != tt.reverts {
				t.Errorf("the list is gone: %t, want %t", gone, tt.reverts)
			}
			if h.admits("beta", inside) != tt.reverts {
				t.Errorf("what was written before is in force: %t, want %t", !tt.reverts, tt.reverts)
			}
			if h.Table().State.ListAt(one) == nil {
				t.Error("the other one is gone too")
			}
			if tt.reverts {
				last := h.wrote.commits[len(h.wrote.commits)-1]
				if last.Reverts != n || last.Author.Name != "postern" {
					t.Errorf("taken back by %+v", last)
				}
			}
			if err := h.Confirm(t.Context(), n, joe); err == nil {
				t.Error("what is settled was confirmed")
			}
		})
	}
}

// TestRevertStaysPossible: nothing is written after which a revision that waits
// could not be taken back.
func TestRevertStaysPossible(t *testing.T) {
	h := withBeta(t)
	h.start()
	record := func(id string, r *policy.TenantRecord) policy.Write {
		return policy.Write{Author: joe, Edit: func(d *policy.Draft) error { return d.SetRecord(id, r) }}
	}
	endpoint := func(name string, port uint16) policy.Write {
		return policy.Write{Author: joe, Edit: func(d *policy.Draft) error {
			if port == 0 {
				return d.SetEndpoint(name, nil)
			}
			return d.SetEndpoint(name, &policy.Endpoint{Name: name, Resource: "*", Ports: []policy.PortRange{{First: port, Last: port}}})
		}}
	}
	pending := func(w policy.Write) policy.Write {
		w.Confirm = 90 * time.Second
		return w
	}
	h.must(record("gamma", &policy.TenantRecord{Hosts: []string{"g.example.com"}}))
	h.must(endpoint("old", 7000))
	h.must(pending(record("gamma", &policy.TenantRecord{})))
	h.must(pending(endpoint("old", 0)))
	const until = " to be confirmed, until 2026-05-01T12:01:30Z, and could not be taken back any more: "
	tests := []struct {
		name, err string
		write     policy.Write
	}{
		{"its-host", "tenants/gamma waits for revision 4" + until + "host g.example.com of tenant gamma may be host g.example.com of tenant beta (); leave it to one of them", record("beta", &policy.TenantRecord{Hosts: []string{"g.example.com"}})},
		{"another-host", "", record("beta", &policy.TenantRecord{Hosts: []string{"b.example.com"}})},
		{"its-port", "endpoints/old waits for revision 5" + until + "endpoint old: tcp port 7000 of this host is as much endpoint new's (); give one of them fewer addresses or ports", endpoint("new", 7000)},
		{"another-port", "", endpoint("new", 7001)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := h.Write(t.Context(), tt.write); text(err) != tt.err {
				t.Errorf("error = %q, want %q", text(err), tt.err)
			}
		})
	}
}

// TestOneRevertStuck: a revision that a file keeps from being taken back keeps no
// other from it, and is told of until it is confirmed.
func TestOneRevertStuck(t *testing.T) {
	h := withBeta(t)
	h.start()
	gamma := func(hosts ...string) policy.Write {
		return policy.Write{Author: joe, Edit: func(d *policy.Draft) error {
			return d.SetRecord("gamma", &policy.TenantRecord{Hosts: hosts})
		}}
	}
	h.must(gamma("g.example.com"))
	first := h.put(betas, listOf(t, "10.0.7.0/24"))
	first.Confirm = time.Minute
	h.must(first)
	second := gamma()
	second.Confirm = 30 * time.Second
	stuck := h.must(second).Commit.Number
	h.reads(func(h *host) { h.write("lists.d/delta.yaml", "tenant: delta\nhosts: [g.example.com]\nlists: {}\n") })
	h.clock.add(2 * time.Minute)
	h.until("the one that can be is taken back", func() bool { return len(h.Status().Pending) == 1 })
	if h.Table().State.ListAt(betas) != nil {
		t.Error("beta's list is still there")
	}
	want := fmt.Sprintf("take back revision %d, which nobody confirmed: host g.example.com of tenant gamma may be host g.example.com of tenant delta (lists.d/delta.yaml:1); leave it to one of them", stuck)
	if s := h.Status(); s.State != Degraded || h.here(s.Why) != want {
		t.Errorf("%s: %s, want %s", s.State, h.here(s.Why), want)
	}
	if err := h.Confirm(t.Context(), stuck, joe); err != nil {
		t.Error(err)
	}
	h.until("nothing is left to tell", func() bool { return h.Status().State == OK })
}

// TestBothOwn shows a list that a file and the store have: the file is refused,
// naming it, until the store gives its own up.
func TestBothOwn(t *testing.T) {
	h := withBeta(t)
	h.start()
	h.must(h.put(betas, listOf(t, "10.0.7.0/24")))
	h.must(policy.Write{Edit: func(d *policy.Draft) error {
		return d.SetRecord("beta", &policy.TenantRecord{Hosts: []string{"b.example.com"}})
	}})
	h.reads(func(h *host) {
		h.write("lists.d/beta.yaml", "tenant: beta\nhosts: [beta.example.com]\nlists: {\"*\": [10.0.0.0/16]}\n")
	})
	want := `lists.d/beta.yaml:1: the record of tenant beta stands in this file and in the store; remove it there, or in the store
lists.d/beta.yaml:3: list tenants/beta/* stands in this file and in the store; remove it there, or give up the store's with postern lists release tenants/beta/*`
	if got := h.here(text(h.Status().Reload.Err)); got != want {
		t.Errorf("reload: %s\nwant: %s", got, want)
	}
	if h.admits("beta", inside) {
		t.Error("the file is in force all the same")
	}
	h.must(policy.Write{Edit: func(d *policy.Draft) error { return d.SetRecord("beta", nil) }})
	by := By{Author: policy.Author{Name: "ann"}, Reason: "moved", Told: &policy.Told{Action: "list.release"}}
	if err := h.Reload(t.Context(), ReloadOptions{Cede: []policy.Place{betas}, By: by}); err != nil {
		t.Fatal(err)
	}
	if c := h.wrote.commits[len(h.wrote.commits)-1]; c.Author.Name != "ann" || c.Reason != "moved" || c.Told.Action != "list.release" || c.Origin != policy.Files {
		t.Errorf("history has %+v", c)
	}
	if l := h.Table().State.ListAt(betas); !h.admits("beta", inside) || l.Owner != h.path("lists.d/beta.yaml") {
		t.Errorf("the file's list is not in force: %+v", l)
	}
	if l, known := h.wrote.now.Lists[betas]; !known || l != nil {
		t.Errorf("the store still has %+v", l)
	}
	h.restart(func(*host) {})
	if h.Status().State != OK || !h.admits("beta", inside) {
		t.Errorf("after a restart: %s", h.Status().Why)
	}
}

// TestEndpointOfTheStore keeps, beside the files, endpoints that only the store
// has, and the security it has for a file's.
func TestEndpointOfTheStore(t *testing.T) {
	h := withBeta(t)
	h.start()
	h.must(policy.Write{Edit: func(d *policy.Draft) error {
		return errors.Join(
			d.SetEndpoint("own", &policy.Endpoint{Name: "own", Ports: []policy.PortRange{{First: 7000, Last: 7000}}, Resource: "*", Policies: listOf(t, "10.0.7.0/24")}),
			d.Secure("beta", listOf(t, "10.0.7.0/24"), policy.VerifyAnd, &policy.Security{Headers: []policy.HeaderRule{{Name: "X-A", Value: "b"}}}),
			d.SetFiltering(true),
		)
	}})
	check := func() {
		t.Helper()
		s := h.Table().State
		if h.admits("own", inside) || !h.admits("own", listed) || h.admits("beta", inside) || !h.admits("beta", listed) || !s.FilteringOff {
			t.Error("what the store has is not in force")
		}
		if ep := s.Endpoint("beta"); ep.Security == nil || ep.Pos.File == "" {
			t.Errorf("the file's endpoint is %+v", ep)
		}
	}
	check()
	h.reads(func(h *host) { h.write("postern.yaml", postern+"  - {name: beta, ports: [445], tenants: [beta]}\n") })
	check()
	if p := h.Table().State.Endpoint("beta").Ports[0].First; p != 445 {
		t.Errorf("the file's change is not in force: port %d", p)
	}
	h.restart(func(*host) {})
	check()
	h.reads(func(h *host) { h.write("postern.yaml", postern) })
	h.restart(func(*host) {})
	if h.Table().State.Endpoint("beta") != nil {
		t.Error("an endpoint that no file has is still there")
	}
	h.restart(func(h *host) {
		h.write("postern.yaml", postern+"  - {name: beta, ports: [445], tenants: [beta]}\n")
	})
	check()
	h.restart(func(h *host) { h.store.rev = nil }) // and the snapshot is lost
	check()
	h.reads(func(h *host) {
		h.write("postern.yaml", "filtering: off\n"+postern+"  - {name: beta, ports: [445], tenants: [beta], policies: [{action: deny, addresses: [10.0.0.1]}]}\n  - {name: own, ports: [446]}\n")
	})
	got := h.here(text(h.Status().Reload.Err))
	for _, want := range []string{"filtering stands in this file", "the security of endpoint beta stands", "endpoint own stands"} {
		if !strings.Contains(got, want) {
			t.Errorf("reload: %s\nwithout %q", got, want)
		}
	}
	check()
}

// TestStoreAhead starts from a store that is ahead of the snapshot, as a crash
// leaves them, and from one that is another's.
func TestStoreAhead(t *testing.T) {
	h := withBeta(t)
	h.start()
	h.until("the first is kept", func() bool { return h.kept() != nil })
	kept := h.kept()
	h.must(h.put(betas, listOf(t, "10.0.7.0/24")))
	h.restart(func(h *host) { h.store.rev = kept })
	if h.admits("beta", inside) || h.Status().Revision != 2 {
		t.Errorf("a write is lost: revision %d", h.Status().Revision)
	}
	h.restart(func(h *host) { h.wrote = &writings{id: "two"} })
	if h.admits("beta", inside) {
		t.Error("another store made the list vanish")
	}
	want := "the store in /var/lib/postern is not the one of revision 2, which stays in force; bring it back with postern store restore"
	if s := h.Status(); s.Why != want || s.State != Degraded {
		t.Errorf("%s: %s", s.State, s.Why)
	}
	if _, err := h.Write(t.Context(), h.put(betas, nil)); !errors.Is(err, policy.ErrNotKept) {
		t.Errorf("a write to another store: %v", err)
	}
}

// TestStoreBroken starts without the store: from the snapshot if there is one; from
// the files if nothing was ever written; else closed, for nobody knows who is shut
// out.
func TestStoreBroken(t *testing.T) {
	damaged := errors.New("open postern.db: damaged")
	tests := []struct {
		name   string
		before func(*host)
		damage error
		admits bool // whom acme's file lists
	}{
		{"snapshot", func(h *host) {
			h.start()
			h.must(h.put(betas, listOf(t, "10.0.7.0/24")))
			h.end()
		}, damaged, true},
		{"never-written", func(*host) {}, ErrNothingWritten, true},
		{"nothing-known", func(*host) {}, damaged, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := withBeta(t)
			tt.before(h)
			h.wrote.damage = tt.damage
			h.start()
			h.reads(func(h *host) { h.write("lists.d/acme.yaml", acme+"# again\n") })
			if h.admits("data", inside) != tt.admits || h.admits("beta", inside) != (tt.name == "never-written") {
				t.Errorf("data admits %t, beta %t", h.admits("data", inside), h.admits("beta", inside))
			}
			if s := h.Status(); s.State != Degraded || !strings.Contains(s.Why, tt.damage.Error()) {
				t.Errorf("%s: %s", s.State, s.Why)
			}
			if _, err := h.Write(t.Context(), h.put(betas, nil)); !errors.Is(err, policy.ErrNotKept) {
				t.Errorf("error = %v", err)
			}
		})
	}
}

// TestCuts shows that neither a write nor a file cuts a connection unasked.
func TestCuts(t *testing.T) {
	h := withBeta(t)
	local, admin := netip.MustParseAddrPort("192.0.2.10:444"), netip.MustParseAddrPort("10.1.0.5:50000")
	cfg := h.config()
	cfg.Connections = func(guarded func(uint16) bool) ([]policy.Conn, error) {
		if !guarded(local.Port()) || guarded(1) {
			t.Error("the guarded ports are not those of the change")
		}
		return []policy.Conn{{Local: local, Remote: admin}}, nil
	}
	h.startWith(cfg)
	plans := h.kernel.count()
	h.local <- policy.Host{Local: []netip.Prefix{netip.PrefixFrom(local.Addr(), 32)}}
	h.until("the host's address is in force", func() bool { return h.kernel.count() > plans })
	var out *policy.LocksOut
	_, err := h.Write(t.Context(), h.put(betas, listOf(t, "10.0.7.0/24")))
	if want := "the connection from 10.1.0.5 to port 444 would be cut by list tenants/beta/*"; !errors.As(err, &out) || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
	beta := "tenant: beta\nlists: {\"*\": [10.0.7.0/24]}\n"
	h.reads(func(h *host) { h.write("lists.d/beta.yaml", beta) })
	if err := h.Status().Reload.Err; !errors.As(err, &out) || !h.admits("beta", inside) {
		t.Errorf("reload: %v", err)
	}
	if err := h.Reload(t.Context(), ReloadOptions{Force: true}); err != nil || h.admits("beta", inside) {
		t.Errorf("forced: %v", err)
	}
	h.reads(func(h *host) { h.write("lists.d/beta.yaml", "tenant: beta\nlists: {}\n") })
	w := h.put(betas, listOf(t, "10.0.7.0/24"))
	w.Force = true
	if h.must(w); h.admits("beta", inside) {
		t.Error("the forced write is not in force")
	}
}
