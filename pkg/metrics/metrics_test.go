package metrics

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// full has something to say in every line of the table.
func full() Snapshot {
	at := time.UnixMilli(1_700_000_000_250)
	return Snapshot{
		Version: "v1", GoVersion: "go1.26",
		Revision: 7, RevisionAt: at, Degraded: true,
		ReloadAt: at, ReloadAge: 90 * time.Second, ReloadOK: true,
		Errors: 1, Warnings: 2, Tenants: 3, Lists: 4, Orphaned: 5, Entries: 6,
		IndexBytes: 64, MaxIndex: 128, InTries: 8, Prefixes: 50, Capacity: 200, KernelBytes: 4096,
		Interfaces: []Interface{{Name: "eth0", Mode: "native", Attached: true}, {Name: "eth1", Mode: "none"}},
		Traffic:    map[string]Traffic{"web": {Pass: Volume{1, 2}, Drop: Volume{3, 4}, WouldDrop: Volume{5, 6}}},
		Reasons:    []Reason{{"not-listed", "drop", Volume{3, 4}}},
		EventsLost: map[string]uint64{"kernel": 9},
	}
}

func TestLint(t *testing.T) {
	m := New(full)
	m.Request("web", "acme", Allow)
	problems, err := testutil.CollectAndLint(newCollector(m.reading))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if n := testutil.CollectAndCount(newCollector(m.reading), tableNames()...); n < len(tableNames()) {
		t.Errorf("%d samples from a table of %d metrics: some line says nothing", n, len(tableNames()))
	}
}

func tableNames() []string {
	var names []string
	for _, m := range table() {
		names = append(names, m.name)
	}
	return names
}

func TestScrape(t *testing.T) {
	m := New(full)
	m.Request("portal", "acme", Allow)
	m.Request("portal", "acme", Deny)
	m.Request("portal", "", WouldDeny)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`postern_build_info{goversion="go1.26",version="v1"} 1`,
		`postern_revision 7`,
		`postern_revision_timestamp_seconds 1.70000000025e+09`,
		`postern_degraded 1`,
		`postern_last_reload_age_seconds 90`,
		`postern_last_reload_successful 1`,
		`postern_problems{severity="error"} 1`,
		`postern_orphaned_lists 5`,
		`postern_index_bytes 64`,
		`postern_index_fill_ratio 0.5`,
		`postern_trie_lists 8`,
		`postern_trie_prefixes 50`,
		`postern_trie_fill_ratio 0.25`,
		`postern_interface_attached{interface="eth0",mode="native"} 1`,
		`postern_interface_attached{interface="eth1",mode="none"} 0`,
		`postern_packets_total{endpoint="web",verdict="drop"} 3`,
		`postern_bytes_total{endpoint="web",verdict="would-drop"} 6`,
		`postern_reason_packets_total{reason="not-listed",verdict="drop"} 3`,
		`postern_events_lost_total{by="kernel"} 9`,
		`postern_requests_total{endpoint="portal",verdict="deny"} 1`,
		`postern_tenant_requests_total{tenant="acme",verdict="allow"} 1`,
		`postern_tenant_requests_total{tenant="other",verdict="would-deny"} 1`,
		`go_goroutines`,
		`process_open_fds`,
	} {
		if !strings.Contains(w.Body.String(), "\n"+want) {
			t.Errorf("no line begins with %s", want)
		}
	}
}

func TestBusiest(t *testing.T) {
	b := newBusiest()
	now := time.Unix(0, 0)
	ask := func(tenant string, n int) {
		for range n {
			b.counts.add(tenant, Allow)
		}
	}
	own := func(tenant string) (uint64, bool) {
		n, ok := b.read(now)[key{tenant, Allow}]
		return n, ok
	}
	for i := range maxTenants {
		ask(fmt.Sprintf("big-%03d", i), 10)
	}
	if n, ok := own("big-000"); n != 10 || !ok {
		t.Fatalf("big-000 has %d, %v; want a series of 10 while there is room", n, ok)
	}
	ask("late", 20)
	if _, ok := own("late"); ok {
		t.Fatal("late has a series before the next ranking")
	}
	now = now.Add(rankEvery)
	ask("late", 1)
	if n, ok := own("late"); n != 1 || !ok {
		t.Fatalf("late has %d, %v; want a series of what it was asked for since", n, ok)
	}
	if _, ok := own("big-099"); ok {
		t.Fatal("big-099 still has a series, of the least busy")
	}
	if n, _ := own(others); n != 20 {
		t.Fatalf("other has %d, want the 20 of late from before", n)
	}
}

// TestBusiestNeverFalls lets tenants come and go at random: Prometheus takes a
// falling counter for a restart, and invents a burst.
func TestBusiestNeverFalls(t *testing.T) {
	b := newBusiest()
	now := time.Unix(0, 0)
	var asked uint64
	before := map[key]uint64{}
	ever := map[key]uint64{}
	for round := range 200 {
		for i := range 300 {
			for range (i*7919 + round*104729) % 23 {
				b.counts.add(fmt.Sprintf("t%d", i), Verdict(i%int(verdicts)))
				asked++
			}
		}
		now = now.Add(rankEvery / 2)
		after := b.read(now)
		for k, n := range after {
			if n < before[k] || n < ever[k] {
				t.Fatalf("round %d: %v fell from %d to %d", round, k, max(before[k], ever[k]), n)
			}
			ever[k] = n
		}
		before = after
		var told uint64
		for _, n := range ever {
			told += n
		}
		if diff := cmp.Diff(asked, told); diff != "" {
			t.Fatalf("round %d: asked and told differ:\n%s", round, diff)
		}
	}
}

func TestTenantNamedOther(t *testing.T) {
	b := newBusiest()
	b.counts.add(others, Deny)
	want := map[key]uint64{{others, Allow}: 0, {others, Deny}: 1, {others, WouldDeny}: 0}
	if diff := cmp.Diff(want, b.read(time.Unix(0, 0)), cmp.AllowUnexported(key{})); diff != "" {
		t.Error(diff)
	}
}

func TestRequestAllocatesNothing(t *testing.T) {
	m := New(full)
	m.Request("web", "acme", Allow)
	if n := testing.AllocsPerRun(100, func() { m.Request("web", "acme", Allow) }); n != 0 {
		t.Errorf("%v allocations for a request", n)
	}
}

func BenchmarkRequest(b *testing.B) {
	m := New(full)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Request("web", "acme", Allow)
		}
	})
}
