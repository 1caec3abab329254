package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/store"
	"github.com/postern-io/postern/pkg/testenv"
)

// calls measures what a tenant's admin sees: the agent itself with every tenant's
// list in its store, one entry written over the API, and the next packet judged by
// it.
func (b *bench) calls() {
	ts := b.lists.byASN(b.Stage)
	b.act(func(b *bench) {
		s := b.serve(ts)
		b.progress("api: %d changes of an entry", b.edits)
		s.edit()
	})
}

// service is an agent in a namespace, its API and the wire into it.
type service struct {
	*bench
	ts       []tenant
	dir      string
	in, out  *testenv.Socket
	from, to *testenv.End
	client   *http.Client
	agent    *exec.Cmd
}

// serve starts an agent that has everything from its store. It is ended once and
// started again, so that the first snapshot, which takes seconds, is behind it.
func (b *bench) serve(ts []tenant) *service {
	s := &service{bench: b, ts: ts, dir: b.TempDir()}
	b.progress("api: write %d tenants to the store", len(ts))
	db, err := store.Open(filepath.Join(s.dir, "store"), store.Config{})
	b.Check(err)
	all := stateOf(ts).Stored()
	b.Check(db.Commit(&policy.Commit{Number: 1, Time: time.Now(), Names: []string{"tenants"}}, all, audit.Note{}))
	b.Check(db.Close())
	s.to, s.from = newPair(b.Stage, netip.MustParseAddr("203.0.113.10"))
	s.in, s.out = s.to.Socket(b), s.from.Socket(b)
	text := fmt.Sprintf("interfaces: [%s]\nstore: {path: %s/store}\napi: {listen: [\"unix://%[2]s/api.sock\"]}\n", s.to.Name, s.dir)
	b.Check(os.WriteFile(filepath.Join(s.dir, "postern.yaml"), []byte(text), 0o600))
	s.client = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(s.dir, "api.sock"))
		},
	}}
	pins := filepath.Join(testenv.BPFFS(b), "postern")
	s.start(pins)
	s.end()
	begun := time.Now()
	s.start(pins)
	b.add("start", "the agent, from its store", 0, "attached, s", once(time.Since(begun).Seconds()))
	return s
}

func (s *service) start(pins string) {
	s.progress("api: start the agent")
	s.agent = exec.Command("bin/postern", "run", "-c", filepath.Join(s.dir, "postern.yaml"), "--pin-dir", pins, "--log-level", "error")
	s.agent.Stderr = os.Stderr
	s.to.NS.Start(s, s.agent)
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var body bytes.Buffer
		if resp, err := s.client.Get("http://agent/api/v1/status"); err == nil {
			_, _ = body.ReadFrom(resp.Body)
			resp.Body.Close()
		}
		if bytes.Contains(body.Bytes(), []byte(`"mode":"native"`)) {
			return
		}
		if time.Now().After(end) {
			s.Fatalf("the agent does not start: %s", body.String())
		}
		s.Check(nil)
	}
}

func (s *service) end() {
	s.Check(s.agent.Process.Signal(syscall.SIGTERM))
	s.Check(s.agent.Wait())
}

// edit adds an entry to one tenant's list and takes it away again, each time of
// another tenant, and sends a packet from it each time; first once the last change
// has settled in the kernel, then back to back.
func (s *service) edit() {
	s.editEach(tenantsByASN, 50*time.Millisecond)
	s.editEach(tenantsByASN+", back to back", time.Nanosecond)
}

func (s *service) editEach(name string, apart time.Duration) {
	var answered, judged []float64
	for tick, i := time.NewTicker(apart), 0; i < s.edits; i++ {
		at := i * 7919 % len(s.ts)
		source := addr4(198<<24 | 18<<16 | uint32(i))
		for _, listed := range []bool{true, false} {
			frame := testenv.Packet(
				testenv.Ether{Src: [6]byte(s.from.MAC), Dst: [6]byte(s.to.MAC)},
				testenv.IPv4{Src: source, Dst: destination(at)}, testenv.TCP{Src: 40000, Dst: port},
			)
			<-tick.C
			begun := time.Now()
			s.write(s.ts[at].id, source, listed)
			answered = append(answered, float64(time.Since(begun).Nanoseconds())/1e6)
			if s.out.Arrives(s, s.in, frame) != listed {
				s.Fatalf("tenant %s: a packet from %s is not judged by the list that was written", s.ts[at].id, source)
			}
			judged = append(judged, float64(time.Since(begun).Nanoseconds())/1e6)
		}
	}
	for _, part := range []struct {
		name   string
		values []float64
	}{{"call to answer", answered}, {"call to judged packet", judged}} {
		s.add("api", name, 0, part.name+" p50, ms", newSample(part.values))
		slices.Sort(part.values)
		s.add("api", name, 0, part.name+" p99, ms", once(quantile(part.values, 0.99)))
	}
}

// write adds an address to a tenant's list, or takes it away.
func (s *service) write(id string, source netip.Addr, listed bool) {
	at := "http://agent/api/v1/lists/" + url.PathEscape("tenants/"+id+"/*") + "/entries"
	method, body := http.MethodPost, io.Reader(bytes.NewReader([]byte(`{"entries":[{"address":"`+source.String()+`"}]}`)))
	if !listed {
		method, at, body = http.MethodDelete, at+"?address="+source.String(), nil
	}
	req, err := http.NewRequestWithContext(s.Context(), method, at, body)
	s.Check(err)
	if listed {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.client.Do(req)
	s.Check(err)
	said, err := io.ReadAll(resp.Body)
	s.Check(err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.Fatalf("%s %s: %s: %s", method, at, resp.Status, said)
	}
}
