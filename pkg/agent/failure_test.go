package agent

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/policy"
)

// TestFilesGoWrong is the failure table: whatever becomes of the files, under a
// running agent or before it starts again, nobody is admitted who was refused,
// and nobody refused who was admitted.
func TestFilesGoWrong(t *testing.T) {
	unreadable := func(h *host, name string) {
		h.remove(name)
		if err := os.Symlink("nowhere", h.path(name)); err != nil { // root reads any mode
			h.t.Fatal(err)
		}
	}
	orphan := func(file, n string) string {
		return file + ": warning: not there to be read; its lists (" + n + ") stay in force; put it back; or postern lists release NAME hands a list to the store, postern lists drop FILE gives them up"
	}
	acmeGone, systemGone := orphan("lists.d/acme.yaml", "3"), orphan("lists.d/system.yaml", "1")
	tests := []struct {
		name     string
		change   func(*host)
		state    string
		problems []string
	}{
		{
			name:     "list-broken",
			change:   func(h *host) { h.write("lists.d/acme.yaml", strings.Replace(acme, "10.0.0.0/8", "10.0.0.0/33", 1)) },
			state:    Degraded,
			problems: []string{`lists.d/acme.yaml:5: prefix 10.0.0.0/33: prefix length 33 is more than 32`},
		},
		{
			name:     "list-null",
			change:   func(h *host) { h.write("lists.d/acme.yaml", "tenant: acme\nlists:\n  dataAccess:\n") },
			state:    Degraded,
			problems: []string{"lists.d/acme.yaml:3: list dataAccess has no value; write [] for no entries"},
		},
		{
			name: "list-of-no-resource",
			change: func(h *host) {
				h.write("lists.d/acme.yaml", strings.Replace(acme, "dataAccess: [10.0.0.0/16", "dataAcess: [10.0.0.0/16", 1))
			},
			state:    Degraded,
			problems: []string{`lists.d/acme.yaml:7: resource "dataAcess" is unknown; did you mean dataAccess?`},
		},
		{
			name:     "list-empty-file",
			change:   func(h *host) { h.write("lists.d/acme.yaml", "") },
			state:    Degraded,
			problems: []string{"lists.d/acme.yaml: the file is empty"},
		},
		{
			name:     "list-gone",
			change:   func(h *host) { h.remove("lists.d/acme.yaml") },
			state:    OK,
			problems: []string{acmeGone},
		},
		{
			name:     "list-unreadable",
			change:   func(h *host) { unreadable(h, "lists.d/acme.yaml") },
			state:    OK,
			problems: []string{"lists.d/acme.yaml: read: no such file or directory", acmeGone},
		},
		{
			name: "directory-emptied",
			change: func(h *host) {
				h.remove("lists.d/acme.yaml")
				h.remove("lists.d/system.yaml")
			},
			state:    OK,
			problems: []string{acmeGone, systemGone},
		},
		{
			name:     "directory-gone",
			change:   func(h *host) { h.remove("lists.d") },
			state:    OK,
			problems: []string{"lists.d: read: no such file or directory", acmeGone, systemGone},
		},
		{
			name:     "directory-named-no-more",
			change:   func(h *host) { h.write("postern.yaml", strings.Replace(postern, "list_dirs: [lists.d]\n", "", 1)) },
			state:    OK,
			problems: []string{acmeGone, systemGone},
		},
		{
			name:     "config-broken",
			change:   func(h *host) { h.write("postern.yaml", strings.Replace(postern, "ports: [443]", "ports: [443000]", 1)) },
			state:    Degraded,
			problems: []string{`postern.yaml:6: port "443000": not all, a number from 1 to 65535, or first-last`},
		},
		{
			name:     "config-no-yaml",
			change:   func(h *host) { h.write("postern.yaml", "endpoints: [") },
			state:    Degraded,
			problems: []string{"postern.yaml:1: not YAML: did not find expected node content"},
		},
		{
			name:     "config-gone",
			change:   func(h *host) { h.remove("postern.yaml") },
			state:    Degraded,
			problems: []string{"postern.yaml: read: no such file or directory"},
		},
		{
			name: "config-and-lists-gone",
			change: func(h *host) {
				h.remove("postern.yaml")
				h.remove("lists.d")
			},
			state:    Degraded,
			problems: []string{"postern.yaml: read: no such file or directory"},
		},
		{
			// Alone, the endpoint's new tenant would have no list and stand open.
			name: "endpoint-of-a-broken-list",
			change: func(h *host) {
				h.write("lists.d/beta.yaml", "tenant: beta\nlists: {dataAccess: [nonsense]}\n")
				h.write("postern.yaml", strings.Replace(postern, "tenants: [acme]", "tenants: [beta]", 1))
			},
			state:    Degraded,
			problems: []string{`lists.d/beta.yaml:2: address nonsense: not an IP address`},
		},
		{
			// So would one whose file was never read.
			name: "endpoint-of-an-unread-list",
			change: func(h *host) {
				unreadable(h, "lists.d/beta.yaml")
				h.write("postern.yaml", strings.Replace(postern, "tenants: [acme]", "tenants: [beta]", 1))
			},
			state:    Degraded,
			problems: []string{"lists.d/beta.yaml: read: no such file or directory"},
		},
		{
			// And one whose directory went before anybody read it.
			name: "endpoint-changed-and-directory-gone",
			change: func(h *host) {
				h.remove("lists.d")
				h.write("postern.yaml", strings.Replace(postern, "tenants: [acme]", "tenants: [beta]", 1))
			},
			state:    Degraded,
			problems: []string{"lists.d: read: no such file or directory"},
		},
	}
	for _, tt := range tests {
		check := func(t *testing.T, h *host) {
			h.refuses()
			s := h.Status()
			if s.State != tt.state {
				t.Errorf("state = %s (%s), want %s", s.State, s.Why, tt.state)
			}
			var problems []string
			for _, p := range s.Problems {
				problems = append(problems, h.here(p.String()))
			}
			if diff := cmp.Diff(tt.problems, problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if h.Table().State.Tenants.Get("acme").Hosts[0] != "acme.example.com" {
				t.Error("the tenant's host is gone")
			}
		}
		t.Run(tt.name+"/running", func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			h.start()
			h.reads(tt.change)
			check(t, h)
		})
		t.Run(tt.name+"/restarted", func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			h.start()
			h.restart(tt.change)
			check(t, h)
			h.restart(func(*host) {})
			check(t, h)
		})
		t.Run(tt.name+"/and-good-again", func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			h.start()
			h.reads(tt.change)
			h.reads(func(h *host) {
				h.remove("lists.d/beta.yaml")
				h.write("lists.d/acme.yaml", acme)
				h.write("lists.d/system.yaml", system)
				h.write("postern.yaml", postern)
			})
			h.until("all is well", func() bool { return h.Status().State == OK && h.Status().Problems == nil })
			h.refuses()
		})
	}
}

// TestNothingKnown starts without a revision kept and with lists that cannot be
// had: endpoints are closed, failsafes open, and the gate is told that it knows
// nothing.
func TestNothingKnown(t *testing.T) {
	tests := []struct {
		name   string
		change func(*host)
	}{
		{name: "list-broken", change: func(h *host) { h.write("lists.d/acme.yaml", "tenant: acme\nlists: {dataAccess: [x]}\n") }},
		{name: "list-unreadable", change: func(h *host) {
			if err := os.Symlink("nowhere", h.path("lists.d/beta.yaml")); err != nil {
				h.t.Fatal(err)
			}
		}},
		{name: "directory-missing", change: func(h *host) { h.remove("lists.d") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			tt.change(h)
			h.start()
			table := h.Table()
			proxy := netip.MustParseAddr("192.0.2.1")
			for _, a := range append(outside, inside, proxy) {
				if h.admits("data", a) || h.admits("raw", a) {
					t.Errorf("%s is admitted", a)
				}
			}
			if !h.admits("portal", proxy) {
				t.Error("the proxy cannot reach the gate to be told 503")
			}
			if len(table.State.Failsafe) != 1 {
				t.Errorf("failsafe = %v", table.State.Failsafe)
			}
			if tables := h.gate.all(); tables[len(tables)-1] != nil {
				t.Error("the gate was not told that nothing is known")
			}
			if h.store.saves != 0 {
				t.Error("closed endpoints were kept as the last good revision")
			}
			want := "the files cannot be put in force, and no revision was kept: endpoints are closed"
			if s := h.Status(); s.State != Degraded || s.Why != want {
				t.Errorf("status = %s: %s", s.State, s.Why)
			}
			h.local <- policy.Host{Local: []netip.Prefix{netip.MustParsePrefix("192.0.2.9/32")}}
			h.until("the host's new address is in force", func() bool { return h.Table() != table })
			if tables := h.gate.all(); tables[len(tables)-1] != nil {
				t.Error("a new address of the host made the gate believe it knows who may pass")
			}
			h.reads(func(h *host) {
				h.remove("lists.d/beta.yaml")
				h.write("lists.d/acme.yaml", acme)
				h.write("lists.d/system.yaml", system)
			})
			h.until("all is well", func() bool { return h.Status().State == OK })
			h.refuses()
		})
	}
}

func TestNothingAtAll(t *testing.T) {
	h := newHost(t)
	h.write("postern.yaml", "interfaces: eth0\nmodus: enforce\n")
	_, err := New(h.config())
	want := "postern.yaml:1: interfaces is a single value, not a list\n" +
		`postern.yaml:2: postern.yaml has no key "modus"; did you mean mode?`
	if got := h.here(text(err)); got != want {
		t.Errorf("error = %q,\n       want %q", got, want)
	}
}

func TestStoreDamaged(t *testing.T) {
	h := newHost(t)
	h.store.damage = errors.New("open postern.db: the file is damaged: cut short")
	h.start()
	h.refuses()
	if s := h.Status(); s.State != Degraded || s.Why != "open postern.db: the file is damaged: cut short" {
		t.Errorf("status = %s: %s", s.State, s.Why)
	}
	h.reads(func(h *host) { h.write("lists.d/acme.yaml", strings.Replace(acme, "10.9.0.0/16", "10.8.0.0/16", 1)) })
	if s := h.Status(); s.Revision != 2 {
		t.Errorf("revision = %d, want 2: without a store, files are followed all the same", s.Revision)
	}
}

func TestStoreFull(t *testing.T) {
	h := newHost(t)
	h.start()
	h.store.fill(errors.New("save revision 2 in postern.db: no space left on device"))
	h.reads(func(h *host) { h.write("lists.d/acme.yaml", strings.Replace(acme, "10.9.0.0/16", "10.8.0.0/16", 1)) })
	want := "save revision 2 in postern.db: no space left on device"
	h.until("that is told", func() bool { return strings.HasPrefix(h.Status().Why, want) })
	if s := h.Status(); s.Revision != 2 {
		t.Errorf("status = %d: %s", s.Revision, s.Why)
	}
	h.store.fill(nil)
	h.end() // as it ends, and each minute before, it tries again
	if h.store.rev.Number != 2 {
		t.Errorf("kept revision %d, want 2", h.store.rev.Number)
	}
}

func TestStorePath(t *testing.T) {
	tests := []struct{ name, file, flag, want string }{
		{name: "default", file: postern, want: "/var/lib/postern"},
		{name: "file", file: postern + "store: {path: /srv/p}\n", want: "/srv/p"},
		{name: "flag", file: postern + "store: {path: /srv/p}\n", flag: "/flag", want: "/flag"},
		{name: "broken", file: "endpoints: [\nstore: {path: /srv/p}\n", want: "/srv/p"},
		{name: "broken-block", file: "endpoints: [\nstore:\n  path: \"/srv/p\"\n", want: "/srv/p"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t)
			h.write("postern.yaml", tt.file)
			c := h.config()
			c.StorePath = tt.flag
			_, _ = New(c) // it cannot start from some of these; it looks for a revision first
			if h.store.path != tt.want {
				t.Errorf("store opened in %s, want %s", h.store.path, tt.want)
			}
		})
	}
}

func TestKernelRefuses(t *testing.T) {
	h := newHost(t)
	h.start()
	h.kernel.fail(errors.New("apply: no room"))
	h.reads(func(h *host) { h.write("lists.d/acme.yaml", "tenant: acme\nlists: {}\n") })
	h.refuses()
	s := h.Status()
	if want := "the files cannot be put in force: revision 1 stays"; s.Why != want || text(s.Reload.Err) != "apply: no room" {
		t.Errorf("status = %s, reload = %v", s.Why, s.Reload.Err)
	}
	if h.end(); h.store.rev.Number != 1 {
		t.Errorf("kept revision %d, which the kernel refused", h.store.rev.Number)
	}
}

// TestKeptRefused starts with broken files and a kernel that does not take the
// revision kept: endpoints are closed, until the same revision comes from files.
func TestKeptRefused(t *testing.T) {
	h := newHost(t)
	h.start()
	h.restart(func(h *host) {
		h.write("lists.d/acme.yaml", "")
		h.kernel.fail(errors.New("no room"))
		h.kernel.once = true
	})
	if h.admits("data", inside) || h.Status().Revision != 0 {
		t.Errorf("revision %d is in force, and admits %s: %t", h.Status().Revision, inside, h.admits("data", inside))
	}
	h.reads(func(h *host) { h.write("lists.d/acme.yaml", acme) })
	h.refuses()
	if s := h.Status(); s.Revision != 1 || s.State != OK {
		t.Errorf("revision %d, %s; want 1, ok", s.Revision, s.Why)
	}
}

func TestKernelRefusesEverything(t *testing.T) {
	h := newHost(t)
	h.kernel.fail(errors.New("no bpffs"))
	a, err := New(h.config())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(a.Run(t.Context())), "no bpffs\nclose every endpoint: no bpffs"; got != want {
		t.Errorf("Run = %q, want %q", got, want)
	}
}

func TestInterfaceRefused(t *testing.T) {
	h := newHost(t)
	h.kernel.busy = errors.New("attach to eth0: program 7 is there")
	h.start()
	if s := h.Status(); s.State != Degraded || s.Why != "attach to eth0: program 7 is there" {
		t.Errorf("status = %s: %s", s.State, s.Why)
	}
}

func TestSettingsNeedRestart(t *testing.T) {
	h := newHost(t)
	h.start()
	h.reads(func(h *host) {
		h.write("postern.yaml", postern+"metrics: {listen: \"127.0.0.1:9441\"}\nstore: {path: /srv}\n")
	})
	var got []string
	for _, p := range h.Status().Problems {
		got = append(got, h.here(p.String()))
	}
	want := []string{
		"postern.yaml: warning: store.path is not what the agent started with; restart it",
		"postern.yaml: warning: metrics.listen is not what the agent started with; restart it",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// TestExpiry also shows that no clock that is set back, before or after a boot,
// revives what is over.
func TestExpiry(t *testing.T) {
	h := newHost(t)
	over := h.clock.now().Add(time.Hour)
	guest := netip.MustParseAddr("10.2.0.1")
	h.write("lists.d/acme.yaml", strings.Replace(acme, "dataAccess: [10.0.0.0/16,",
		"dataAccess: [{address: 10.2.0.1, expires: "+over.Format(time.RFC3339)+"}, 10.0.0.0/16,", 1))
	h.start()
	if !h.admits("data", guest) || !h.Status().NextExpiry.Equal(over) {
		t.Fatalf("the guest is admitted: %t; next expiry %v, want %v", h.admits("data", guest), h.Status().NextExpiry, over)
	}
	h.clock.add(time.Hour)
	began := time.Now()
	h.until("the guest is refused", func() bool { return !h.admits("data", guest) })
	if took := time.Since(began); took > time.Second {
		t.Errorf("the entry outlived its time by %v", took)
	}
	if s := h.Status(); s.Revision != 1 || !s.NextExpiry.IsZero() {
		t.Errorf("revision %d, next expiry %v; want 1, never", s.Revision, s.NextExpiry)
	}
	if h.store.Latest().Before(over) {
		t.Error("the entry is over and the time is not recorded: a crash now would revive it")
	}
	h.clock.add(-2 * time.Hour)
	plans := h.kernel.count()
	h.local <- policy.Host{Local: []netip.Prefix{netip.MustParsePrefix("192.0.2.9/32")}}
	h.until("the host's address is in force", func() bool { return h.kernel.count() > plans })
	if h.admits("data", guest) {
		t.Error("setting the clock back revived an expired entry")
	}
	h.restart(func(*host) {})
	if h.admits("data", guest) {
		t.Error("a boot with the clock set back revived an expired entry")
	}
	want := "the host's clock is 2h0m0s behind the latest time recorded: entries expire by the later"
	if s := h.Status(); s.Why != want {
		t.Errorf("why = %q, want %q", s.Why, want)
	}
}
