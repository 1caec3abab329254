package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/postern-io/postern/pkg/api"
	"github.com/postern-io/postern/pkg/testenv"
)

// agent is the real postern, run on the edge host.
type agent struct {
	*testenv.Stage
	binary, dir, pins string
	host              *testenv.NetNS
	client            *api.Client
	metrics           *http.Client
	process           *exec.Cmd
	refusals          chan api.Event
}

// startAgent writes the edge host's files, starts the agent on them and waits
// until it enforces.
func startAgent(s *testenv.Stage, binary string, host *testenv.NetNS) *agent {
	a := &agent{
		Stage: s, binary: binary, host: host,
		dir: s.TempDir(), pins: testenv.BPFFS(s),
		metrics:  &http.Client{Transport: &http.Transport{DialContext: host.Dial, DisableKeepAlives: true}},
		refusals: make(chan api.Event, 64),
	}
	a.layOut()
	var err error
	a.client, err = api.Dial("unix://" + a.path("api.sock"))
	s.Check(err)
	a.process = exec.Command(binary, "run", "-c", a.path("postern.yaml"), "--pin-dir", a.pins)
	log, err := os.Create(a.path("log"))
	s.Check(err)
	defer log.Close()
	a.process.Stdout, a.process.Stderr = log, log
	// Ctrl-C is for the demo; the agent ends with it, even if that is killed.
	a.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	host.Start(s, a.process)
	a.await("starts", func(st api.Status) bool { return st.State == "ok" })
	a.watch()
	return a
}

func (a *agent) path(name string) string { return filepath.Join(a.dir, name) }

// await waits until the agent's status says so.
func (a *agent) await(what string, done func(api.Status) bool) api.Status {
	var st api.Status
	testenv.Eventually(a, 20*time.Second, func() (err error) {
		a.Check(nil)
		st, err = a.client.Status(a.Context())
		if err == nil && !done(st) {
			err = fmt.Errorf("its state is %s %s", st.State, st.Why)
		}
		if err == nil {
			return nil
		}
		log, _ := os.ReadFile(a.path("log"))
		err = fmt.Errorf("the agent never %s: %w; its log:\n%s", what, err, log)
		if a.ended() {
			a.Check(err)
		}
		return err
	})
	return st
}

// ended reports whether the agent's process is over; it still has to be waited
// for.
func (a *agent) ended() bool {
	var info unix.Siginfo
	const look = unix.WEXITED | unix.WNOHANG | unix.WNOWAIT
	return unix.Waitid(unix.P_PID, a.process.Process.Pid, &info, look, nil) == nil && info.Signo != 0
}

// watch collects what the gate refuses, as postern watch does.
func (a *agent) watch() {
	ready := make(chan struct{})
	go a.client.Watch(a.Context(), func() { close(ready) }, func(e api.Event) error {
		if e.Where == "gate" {
			a.refusals <- e
		}
		return nil
	})
	select {
	case <-ready:
	case <-time.After(5 * time.Second):
		a.Fatalf("the agent's events cannot be watched")
	}
}

// refusal is the gate's next event.
func (a *agent) refusal() string {
	select {
	case e := <-a.refusals:
		return strings.TrimSpace(e.Verdict + " " + e.Reason)
	case <-time.After(time.Second):
		return "no event"
	}
}

// wouldDrop stands before the reason of what was dropped but for monitor.
const wouldDrop = "would drop, "

// reasons reads how many packets the kernel has given each reason.
func (a *agent) reasons() map[string]string {
	resp, err := a.metrics.Get("http://127.0.0.1:9441/metrics")
	a.Check(err)
	defer resp.Body.Close()
	line := regexp.MustCompile(`^postern_reason_packets_total{reason="(.+)",verdict="(.+)"} (.+)$`)
	counts := map[string]string{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		m := line.FindStringSubmatch(lines.Text())
		switch {
		case m == nil:
		case m[2] == "would-drop":
			counts[wouldDrop+m[1]] = m[3]
		default:
			counts[m[1]] = m[3]
		}
	}
	return counts
}

// explain asks the agent why, as postern explain does.
func (a *agent) explain(q api.Question) string {
	x, err := a.client.Explain(a.Context(), q)
	a.Check(err)
	return tell(x)
}

// tell puts an explanation into a few words: the verdict, and the entry or else
// the list and what it lacks.
func tell(x api.Explanation) string {
	words := []string{x.Verdict, "by", x.Reason}
	if x.Entry != "" {
		words[2] = x.Entry
	}
	if x.List != "" {
		words = append(words, "in", x.List)
	}
	return strings.Join(words, " ")
}
