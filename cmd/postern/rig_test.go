package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/api"
	"github.com/postern-io/postern/pkg/testenv"
)

// rig is a host with an agent in a network namespace of its own, and a wire into
// it.
type rig struct {
	t                *testing.T
	dir, pins        string
	inside, outside  *testenv.End
	in, out          *testenv.Socket
	agent            *exec.Cmd
	said             *output
	listDir, apiPath string
}

// output is what a process said so far.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

const (
	hostAddr  = "203.0.113.10"
	hostAddr6 = "2001:db8:ffff::10" // for packets alone: the host has it not
)

func newRig(t *testing.T) *rig {
	t.Helper()
	testenv.Root(t)
	// Short, for a socket's path must fit into 108 bytes.
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r := &rig{
		t: t, dir: dir, pins: filepath.Join(testenv.BPFFS(t), "postern"), said: new(output),
		listDir: filepath.Join(dir, "lists.d"), apiPath: filepath.Join(dir, "api.sock"),
		inside:  &testenv.End{NS: testenv.NewNetNS(t), Name: "in0", Addrs: []string{hostAddr + "/24"}},
		outside: &testenv.End{NS: testenv.NewNetNS(t), Name: "out0", Addrs: []string{"203.0.113.1/24"}},
	}
	testenv.Veth(t, r.inside, r.outside)
	r.in, r.out = r.inside.Socket(t), r.outside.Socket(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the agent said:\n%s", r.said)
		}
	})
	r.write("postern.yaml", r.config())
	r.write("lists.d/acme.yaml", acmeLists)
	return r
}

// config is a dedicated endpoint, one behind a proxy, and one of a tenant
// without a list.
func (r *rig) config() string {
	return fmt.Sprintf(`
interfaces: [in0]
list_dirs: [lists.d]
store: {path: %s/store}
api: {listen: ["unix://%s"]}
metrics: {listen: "127.0.0.1:9441"}
endpoints:
  - {name: data, address: %[3]s, ports: [443], tenants: [acme], resource: dataAccess}
  - name: portal
    address: %[3]s
    ports: [8080]
    tenants: [acme]
    resource: webUI
    client: xff
    proxies: [203.0.113.1]
    http: {listen: "%[3]s:8080", upstream: "http://127.0.0.1:3000"}
  - {name: free, address: %[3]s, ports: [444], tenants: [globex], resource: dataAccess}
`, r.dir, r.apiPath, hostAddr)
}

const acmeLists = `
tenant: acme
lists:
  "*":
    - 198.51.100.0-198.51.100.99
    - {address: 198.51.100.66, action: deny}
`

func (r *rig) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) remove(name string) {
	r.t.Helper()
	if err := os.RemoveAll(filepath.Join(r.dir, name)); err != nil {
		r.t.Fatal(err)
	}
}

// start starts the agent and waits until it is in this state.
func (r *rig) start(state string) {
	r.t.Helper()
	r.agent = exec.Command("postern", "run", "-c", filepath.Join(r.dir, "postern.yaml"), "--pin-dir", r.pins, "--log-level", "debug")
	r.agent.Stderr = r.said
	r.inside.NS.Start(r.t, r.agent)
	r.until(15*time.Second, func(st api.Status) error {
		if st.State != state {
			return fmt.Errorf("the agent is %s: %s", st.State, st.Why)
		}
		return nil
	})
}

// end ends the agent by a signal.
func (r *rig) end(sig syscall.Signal) {
	r.t.Helper()
	if err := r.agent.Process.Signal(sig); err != nil {
		r.t.Fatal(err)
	}
	err := r.agent.Wait()
	if sig == syscall.SIGTERM && err != nil {
		r.t.Fatalf("the agent ended by SIGTERM: %v", err)
	}
}

// until asks for the status until it satisfies.
func (r *rig) until(within time.Duration, satisfied func(api.Status) error) {
	r.t.Helper()
	agent, err := api.Dial("unix://" + r.apiPath)
	if err != nil {
		r.t.Fatal(err)
	}
	testenv.Eventually(r.t, within, func() error {
		st, err := agent.Status(r.t.Context())
		if err != nil {
			return err
		}
		return satisfied(st)
	})
}

// postern runs a command against the agent.
func (r *rig) postern(args ...string) (out, errs string, code int) {
	r.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("postern", args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append(os.Environ(), "POSTERN_API=unix://"+r.apiPath)
	var err error
	r.inside.NS.Do(func() { err = cmd.Run() })
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		r.t.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// watch shows what is refused from now on, a line each.
func (r *rig) watch(args ...string) <-chan string {
	r.t.Helper()
	cmd := exec.Command("postern", append([]string{"watch", "--api", "unix://" + r.apiPath}, args...)...)
	lines, errs := pipe(r.t, cmd.StdoutPipe), pipe(r.t, cmd.StderrPipe)
	r.inside.NS.Start(r.t, cmd)
	if line := <-errs; line != "watching; interrupt to end" {
		r.t.Fatalf("watch says %q", line)
	}
	return lines
}

// pipe reads a stream line by line.
func pipe(t *testing.T, open func() (io.ReadCloser, error)) <-chan string {
	t.Helper()
	stream, err := open()
	if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(stream); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return lines
}

// next is the next line, if it comes in time.
func (r *rig) next(lines <-chan string) string {
	r.t.Helper()
	select {
	case line := <-lines:
		return line
	case <-time.After(5 * time.Second):
		r.t.Fatal("nothing was shown")
		return ""
	}
}

// passes sends the first packet of a connection from src and reports whether it
// comes through.
func (r *rig) passes(src string, port uint16) bool {
	r.t.Helper()
	from := netip.MustParseAddr(src)
	var ip testenv.Layer = testenv.IPv4{Src: from, Dst: netip.MustParseAddr(hostAddr)}
	if from.Is6() {
		ip = testenv.IPv6{Src: from, Dst: netip.MustParseAddr(hostAddr6)}
	}
	return r.out.Arrives(r.t, r.in, testenv.Packet(
		testenv.Ether{Src: [6]byte(r.outside.MAC), Dst: [6]byte(r.inside.MAC)}, ip, testenv.TCP{Src: 40000, Dst: port},
	))
}

// admits checks that packets to a port pass from each of these sources.
func (r *rig) admits(port uint16, sources ...string) {
	r.t.Helper()
	for _, src := range sources {
		if !r.passes(src, port) {
			r.t.Errorf("a packet from %s to port %d is dropped", src, port)
		}
	}
}

// refuses checks that packets to a port pass from none of these sources.
func (r *rig) refuses(port uint16, sources ...string) {
	r.t.Helper()
	for _, src := range sources {
		if r.passes(src, port) {
			r.t.Errorf("a packet from %s to port %d passes", src, port)
		}
	}
}

// judged checks that packets to port 443 pass from these sources and from no
// others of those the tests use.
func (r *rig) judged(want ...string) error {
	r.t.Helper()
	var got []string
	for _, src := range []string{"198.51.100.7", "198.51.100.66", "198.51.100.200", "192.0.2.1"} {
		if r.passes(src, 443) {
			got = append(got, src)
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		return fmt.Errorf("packets pass from %q, want %q", got, want)
	}
	return nil
}

// follows gives the packets a second to be judged so.
func (r *rig) follows(want ...string) {
	r.t.Helper()
	testenv.Eventually(r.t, time.Second, func() error { return r.judged(want...) })
}

// stays checks that packets are judged so, still.
func (r *rig) stays(want ...string) {
	r.t.Helper()
	if err := r.judged(want...); err != nil {
		r.t.Fatal(err)
	}
}
