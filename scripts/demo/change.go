package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/api"
)

const acmeFile = "lists.d/acme.yaml"

// command is a deed: it runs postern, which says something or, with "", agrees; then
// it sends a frame.
type command struct {
	says string // of a refusal
	args []string
	then frame
}

func write(says string, args ...string) command { return command{says, args, syn(443)} }

func (c command) do(w *world, r row) sight {
	said, code := w.run(c.args...)
	if want := c.says != ""; want != (code != 0) || !strings.Contains(said, c.says) {
		w.Fatalf("postern %s ended with %d: %s", strings.Join(c.args, " "), code, said)
	}
	return w.send(r, c.then)
}

// unconfirmed is a deed: it waits until nothing waits to be confirmed, then sends a
// frame.
type unconfirmed struct{ then frame }

func (u unconfirmed) do(w *world, r row) sight {
	made := w.await("runs", func(api.Status) bool { return true }).Revision
	w.await("takes the change back", func(st api.Status) bool { return st.Revision > made })
	return w.send(r, u.then)
}

// lend is a deed: it lists an address for a while, then sends a frame.
type lend struct {
	addr  string
	while time.Duration
	then  frame
}

func (l lend) do(w *world, r row) sight {
	until := time.Now().Add(l.while).UTC().Format(time.RFC3339)
	w.append(fmt.Sprintf("    - {address: %s, expires: %s}\n", l.addr, until), func(st api.Status) bool {
		return st.Reload.OK && !st.NextExpiry.IsZero()
	})
	return w.send(r, l.then)
}

// lapse is a deed: it waits until nothing is lent any more, then sends a frame.
type lapse struct{ then frame }

func (l lapse) do(w *world, r row) sight {
	w.await("lets an entry expire", func(st api.Status) bool { return st.NextExpiry.IsZero() })
	return w.send(r, l.then)
}

// spoil is a deed: it writes a mistake into a list, then sends a frame.
type spoil struct{ then frame }

func (s spoil) do(w *world, r row) sight {
	w.append("    - 300.1.1.1\n", func(st api.Status) bool { return !st.Reload.OK })
	return w.send(r, s.then)
}

// append adds a line to acme's list and waits until the agent has seen it.
func (w *world) append(line string, seen func(api.Status) bool) {
	text, err := os.ReadFile(w.path(acmeFile))
	w.Check(err)
	w.write(acmeFile, string(text)+line)
	w.await("reads "+acmeFile, seen)
}

// kill is a deed: with the agent dead, it sends a frame. Who then says why is
// postern explain, from the files as they were.
type kill struct{ then frame }

func (k kill) do(w *world, r row) sight {
	if w.process.ProcessState == nil {
		w.Check(w.process.Process.Kill())
		_ = w.process.Wait() // its end is the point
		w.layOut()
	}
	return sight{seen: w.arrives(r, k.then), because: w.explainFile(r)}
}

func (w *world) explainFile(r row) string {
	out := w.postern("explain", r.from, "-c", w.path("postern.yaml"), "--endpoint", r.to, "-o", "json")
	var x api.Explanation
	w.Check(json.Unmarshal([]byte(out), &x))
	return "no agent; " + tell(x)
}

// detach is a deed: it ends enforcement, then sends a frame.
type detach struct{ then frame }

func (d detach) do(w *world, r row) sight {
	out := w.postern("detach", "--pin-dir", w.pins)
	return sight{seen: w.arrives(r, d.then), because: strings.TrimSpace(out)}
}

// run runs a command of postern's on the edge host, against the agent, and returns
// what it says and its exit.
func (w *world) run(args ...string) (said string, code int) {
	cmd := exec.CommandContext(w.Context(), w.binary, args...)
	cmd.Env = append(os.Environ(), "POSTERN_API=unix://"+w.path("api.sock"))
	var out []byte
	w.host.Do(func() { out, _ = cmd.CombinedOutput() })
	if cmd.ProcessState == nil {
		w.Fatalf("postern %s did not run", args[0])
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// postern runs a command of postern's on the edge host and returns what it
// prints. Exit 1 is an answer too: explain's, for deny.
func (w *world) postern(args ...string) string {
	cmd := exec.CommandContext(w.Context(), w.binary, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	var (
		out []byte
		err error
	)
	w.host.Do(func() { out, err = cmd.Output() })
	if err != nil && (cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 || len(out) == 0) {
		w.Fatalf("postern %s: %v: %s", args[0], err, &said)
	}
	return string(out)
}
