package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/api"
	"github.com/postern-io/postern/pkg/testenv"
)

// TestRunAnswers asks a running agent everything there is to ask.
func TestRunAnswers(t *testing.T) {
	r := newRig(t)
	r.start("ok")
	r.stays("198.51.100.7")

	out, _, _ := r.postern("status")
	for _, want := range []string{
		"agent     ok\n", "revision  1 since ", ", mode enforce\n", "in0        native  ",
		"data      tcp " + hostAddr + ":443   peer    drop     enforce  1 (54 B)  3 (162 B)",
		"portal    tcp " + hostAddr + ":8080  xff     respond  enforce",
		"OPEN (tenant globex has no list)",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("status does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Errorf("status is coloured where nobody sees it: %q", out)
	}

	out, _, code := r.postern("explain", "198.51.100.66", "--endpoint", "data", "-o", "json")
	var x api.Explanation
	if err := json.Unmarshal([]byte(out), &x); err != nil || code != 1 {
		t.Fatalf("explain ended with %d: %v\n%s", code, err, out)
	}
	if x.Verdict != "deny" || !x.Enforced || x.Where != "kernel" || x.List != "tenants/acme/*" || x.Entry != "198.51.100.66" {
		t.Errorf("explain: %s", out)
	}
	if out, _, code := r.postern("explain", "198.51.100.7", "--endpoint", "data"); code != 0 {
		t.Errorf("explain ended with %d: %s", code, out)
	}
	if _, errs, code := r.postern("explain", "198.51.100.7", "--endpoint", "nothing"); code != 3 {
		t.Errorf("explain ended with %d: %s", code, errs)
	}

	out, _, _ = r.postern("lists")
	if want := "tenants/acme/*  on     2        2     0        0         " + r.listDir + "/acme.yaml\n"; !strings.Contains(out, want) {
		t.Errorf("lists does not say %q:\n%s", want, out)
	}

	body := r.scrape()
	for _, want := range []string{
		"\npostern_revision 1\n",
		"\npostern_interface_attached{interface=\"in0\",mode=\"native\"} 1\n",
		"\npostern_packets_total{endpoint=\"data\",verdict=\"drop\"} 3\n",
		"\npostern_packets_total{endpoint=\"data\",verdict=\"pass\"} 1\n",
		"\npostern_reason_packets_total{reason=\"not-listed-tenant\",verdict=\"drop\"} 3\n",
		"\npostern_entries 2\n",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("metrics do not hold %q", want)
		}
	}
}

func (r *rig) scrape() string {
	r.t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: r.inside.NS.Dial}, Timeout: 5 * time.Second}
	resp, err := client.Get("http://127.0.0.1:9441/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(body)
}

// TestRunGate sends requests through a proxy.
func TestRunGate(t *testing.T) {
	r := newRig(t)
	upstream := r.inside.NS.Listen(t, "tcp", "127.0.0.1:3000")
	serveUntilTheEnd(t, upstream, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "through") }))
	r.start("ok")
	ask := func(forwarded string) (status, body, trace string) {
		client := &http.Client{Transport: &http.Transport{DialContext: r.outside.NS.Dial}, Timeout: 5 * time.Second}
		req, _ := http.NewRequest("GET", "http://"+hostAddr+":8080/", nil)
		req.Header.Set("X-Forwarded-For", forwarded)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return resp.Status, string(text), resp.Header.Get("X-Trace-Id")
	}
	lines := r.watch("-o", "json")
	if status, body, _ := ask("198.51.100.7"); status != "200 OK" || body != "through" {
		t.Errorf("a listed client: %s %q", status, body)
	}
	want := "IP not whitelisted. Found x-forwarded-for header: 198.51.100.66, orgId: acme"
	status, body, trace := ask("198.51.100.66")
	if status != "403 Forbidden" || body != want {
		t.Errorf("a denied client: %s %q", status, body)
	}
	var e api.Event
	if err := json.Unmarshal([]byte(r.next(lines)), &e); err != nil {
		t.Fatal(err)
	}
	if e.Where != "gate" || e.Source != "198.51.100.66" || e.Tenant != "acme" || e.Trace != trace || e.Reason != "deny-entry" {
		t.Errorf("watch shows %+v, trace is %q", e, trace)
	}
	if r.passes("203.0.113.2", 8080) || !r.passes("203.0.113.1", 8080) {
		t.Error("who is no proxy reaches the gate, or who is one does not")
	}
	scraped := r.scrape()
	for _, want := range []string{
		"\npostern_requests_total{endpoint=\"portal\",verdict=\"allow\"} 1\n",
		"\npostern_tenant_requests_total{tenant=\"acme\",verdict=\"deny\"} 1\n",
	} {
		if !strings.Contains(scraped, want) {
			t.Errorf("metrics do not hold %q", want)
		}
	}
}

func serveUntilTheEnd(t *testing.T, l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
}

// TestRunWatch sees a refused packet as it happens, until the agent ends.
func TestRunWatch(t *testing.T) {
	r := newRig(t)
	r.start("ok")
	lines := r.watch()
	r.stays("198.51.100.7")
	const want = " deny kernel not-listed-tenant 198.51.100.66:40000 -> " + hostAddr + ":443 tcp endpoint=data on=in0"
	if line := r.next(lines); !strings.HasSuffix(line, want) {
		t.Errorf("watch shows %q, want it to end with %q", line, want)
	}
	r.end(syscall.SIGTERM)
	for range lines { // ends with the stream, or this test does not
	}
}

// TestRunFollowsFiles edits, breaks and loses list files. Packets follow what is
// said within a second, and no mistake admits anybody.
func TestRunFollowsFiles(t *testing.T) {
	r := newRig(t)
	r.start("ok")
	r.stays("198.51.100.7")

	r.write("lists.d/acme.yaml", strings.Replace(acmeLists, "0-198.51.100.99", "0-198.51.100.255", 1))
	r.follows("198.51.100.7", "198.51.100.200")

	r.write("lists.d/acme.yaml", acmeLists+"    - 192.0.2.0/240\n")
	r.until(5*time.Second, func(st api.Status) error {
		if st.Reload.OK || len(st.Problems.Errors()) != 1 {
			return fmt.Errorf("a broken file is taken: %+v", st.Reload)
		}
		return nil
	})
	r.stays("198.51.100.7", "198.51.100.200")

	r.remove("lists.d/acme.yaml")
	r.until(5*time.Second, func(st api.Status) error {
		if len(st.Orphaned) != 1 || st.Orphaned[0].Owner != r.listDir+"/acme.yaml" {
			return fmt.Errorf("orphaned are %+v", st.Orphaned)
		}
		return nil
	})
	r.stays("198.51.100.7", "198.51.100.200")

	r.remove("lists.d")
	out, errs, code := r.postern("lists", "drop", r.listDir+"/nothing.yaml")
	if code != 1 || out != "" {
		t.Errorf("dropping what is not there ended with %d: %s%s", code, out, errs)
	}
	r.stays("198.51.100.7", "198.51.100.200")

	// Only the explicit word opens what the list restricted.
	out, errs, code = r.postern("lists", "drop", r.listDir+"/acme.yaml")
	if code != 0 || out != "dropped tenants/acme/*\n" {
		t.Fatalf("dropping an orphan ended with %d: %s%s", code, out, errs)
	}
	r.follows("198.51.100.7", "198.51.100.66", "198.51.100.200", "192.0.2.1")
}

// TestRunOutlived ends the agent in every way. Packets are judged until detach.
func TestRunOutlived(t *testing.T) {
	r := newRig(t)
	r.start("ok")
	r.stays("198.51.100.7")

	if out, errs, code := r.postern("detach", "--pin-dir", r.pins); code != 1 || !strings.Contains(errs, "holds it") {
		t.Errorf("detach beside an agent ended with %d: %s%s", code, out, errs)
	}
	r.end(syscall.SIGTERM)
	r.stays("198.51.100.7")
	if _, _, code := r.postern("status"); code != 1 {
		t.Errorf("status without an agent ended with %d", code)
	}

	r.write("postern.yaml", "interfaces: [in0]\nendpoints: {\nstore: {path: "+r.dir+"/store}\n")
	r.start("degraded")
	r.stays("198.51.100.7")

	r.end(syscall.SIGKILL)
	r.stays("198.51.100.7")

	out, errs, code := r.postern("detach", "--pin-dir", r.pins)
	if code != 0 || out != "released in0\n" {
		t.Errorf("detach ended with %d: %s%s", code, out, errs)
	}
	testenv.Eventually(t, 5*time.Second, func() error {
		return r.judged("198.51.100.7", "198.51.100.66", "198.51.100.200", "192.0.2.1")
	})
	if out, _, code := r.postern("detach", "--pin-dir", r.pins, "-o", "json"); code != 0 || out != "[]\n" {
		t.Errorf("detach of nothing ended with %d: %s", code, out)
	}

	r.write("postern.yaml", r.config())
	r.start("ok")
	r.stays("198.51.100.7")
}

// TestRunTwice starts a second agent on the same pins.
func TestRunTwice(t *testing.T) {
	r := newRig(t)
	r.start("ok")
	_, errs, code := r.postern("run", "-c", r.dir+"/postern.yaml", "--pin-dir", r.pins)
	if want := fmt.Sprintf("pid %d holds it", r.agent.Process.Pid); code != 1 || !strings.Contains(errs, want) {
		t.Errorf("a second agent ended with %d, want 1 and %q:\n%s", code, want, errs)
	}
}

// TestRunOverSSH guards port 22 without a failsafe. It is a warning, in the log
// and in status, and the packets are judged as written.
func TestRunOverSSH(t *testing.T) {
	r := newRig(t)
	r.write("postern.yaml", r.config()+"  - {name: shell, address: "+hostAddr+", ports: [22], tenants: [acme]}\n")
	r.start("ok")
	const want = "endpoint shell guards port 22, and no failsafe leaves you a way in"
	if out, _, _ := r.postern("status"); !strings.Contains(out, want) {
		t.Errorf("status does not warn:\n%s", out)
	}
	if !strings.Contains(r.said.String(), want) {
		t.Error("the log does not warn")
	}
	if r.passes("192.0.2.1", 22) {
		t.Error("a warning let a packet through")
	}
}

// TestLintHost finds an interface that nobody guards.
func TestLintHost(t *testing.T) {
	r := newRig(t)
	if out, errs, code := r.postern("lint", "--host", r.dir+"/postern.yaml"); code != 0 {
		t.Fatalf("lint of a host without other ways ended with %d:\n%s%s", code, out, errs)
	}
	testenv.Veth(t,
		&testenv.End{NS: r.inside.NS, Name: "side0", Addrs: []string{"192.0.2.10/24"}},
		&testenv.End{NS: r.outside.NS, Name: "side1"})
	out, _, code := r.postern("lint", "--host", r.dir+"/postern.yaml")
	if want := r.dir + "/postern.yaml: interface: side0 "; code != 1 || !strings.Contains(out, want) {
		t.Errorf("lint ended with %d, want 1 and %q:\n%s", code, want, out)
	}
}
