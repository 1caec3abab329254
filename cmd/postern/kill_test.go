package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/store"
	"github.com/postern-io/postern/pkg/testenv"
)

// long reports whether what takes minutes is to be run: in CI it is.
func long() bool { return os.Getenv("POSTERN_LONG") != "" }

// socketClient asks an agent on its unix socket, one connection for each request:
// a killed agent's would be of no use.
func socketClient(path string) *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", path)
			},
		},
	}
}

// written is what a list holds after one write: that write's number alone.
type written struct {
	Entries []struct {
		Address string `json:"address"`
		Comment string `json:"comment"`
	} `json:"entries"`
}

func (w written) number(t *testing.T) int {
	t.Helper()
	if len(w.Entries) == 0 {
		return 0
	}
	n, err := strconv.Atoi(w.Entries[0].Comment)
	if err != nil || len(w.Entries) != 2 || w.Entries[1].Comment != w.Entries[0].Comment {
		t.Fatalf("half a write is in force: %+v", w)
	}
	return n
}

// writer writes to one list again and again and knows what it was told of each.
type writer struct {
	list   string
	client *http.Client
	acked  atomic.Int64 // the last write that was acknowledged
	asked  atomic.Int64 // the last that was sent
}

func (w *writer) url() string {
	return "http://agent/api/v1/lists/" + url.PathEscape(w.list)
}

func (w *writer) write(n int64) error {
	body := fmt.Sprintf(`{"entries":[{"address":"%s","comment":"%d"},{"address":"10.200.0.1","comment":"%d"}]}`, addressOf(n), n, n)
	req, err := http.NewRequest(http.MethodPut, w.url(), bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	w.asked.Store(n)
	resp, err := w.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var said bytes.Buffer
		_, _ = said.ReadFrom(resp.Body)
		return refusedWrite(fmt.Sprintf("%s: %s", resp.Status, said.String()))
	}
	w.acked.Store(n)
	return nil
}

// addressOf is what write n lists.
func addressOf(n int64) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

// refusedWrite is an answer that is no acknowledgement.
type refusedWrite string

func (e refusedWrite) Error() string { return string(e) }

// check reads the list back and returns the write it holds: the last acknowledged
// one, or one that was sent after it and whose answer nobody saw.
func (w *writer) check(t *testing.T) int64 {
	t.Helper()
	resp, err := w.client.Get(w.url())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var is written
	if resp.StatusCode == http.StatusOK {
		if err := json.NewDecoder(resp.Body).Decode(&is); err != nil {
			t.Fatal(err)
		}
	}
	n := int64(is.number(t))
	if n < w.acked.Load() || n > w.asked.Load() {
		t.Errorf("%s holds write %d; %d was acknowledged, %d sent", w.list, n, w.acked.Load(), w.asked.Load())
	}
	return n
}

// TestKilled kills the agent at random moments under writes: none that was
// acknowledged is lost, no half of one is in force, history and journal are whole.
func TestKilled(t *testing.T) {
	writes, kills := int64(500), 10
	if long() {
		writes, kills = 10_000, 200
	}
	r := newRig(t)
	r.write("postern.yaml", r.config()+`
  - {name: many, address: `+hostAddr+`, ports: [445], tenants: [t0, t1, t2, t3]}
`)
	r.start("ok")
	writers := make([]*writer, 4)
	for i := range writers {
		writers[i] = &writer{list: fmt.Sprintf("tenants/t%d/*", i), client: socketClient(r.apiPath)}
	}
	var total atomic.Int64
	begun := time.Now()
	for killed := 0; total.Load() < writes || killed < kills; killed++ {
		stop := make(chan struct{})
		var group sync.WaitGroup
		for _, w := range writers {
			group.Go(func() {
				for n := w.asked.Load() + 1; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					err := w.write(n)
					var refused refusedWrite
					if errors.As(err, &refused) {
						t.Error(refused)
						return
					}
					if err != nil {
						return // the agent was killed
					}
					total.Add(1)
				}
			})
		}
		// Enough for the writes that are due until the last kill, at a moment nobody chose.
		due := (writes - total.Load()) / int64(max(1, kills-killed))
		goal := total.Load() + due
		testenv.Eventually(t, time.Minute, func() error {
			if got := total.Load(); got < goal && !t.Failed() {
				return fmt.Errorf("%d of %d writes", got, goal)
			}
			return nil
		})
		time.Sleep(time.Duration(rand.Int64N(int64(20 * time.Millisecond))))
		r.end(syscall.SIGKILL)
		close(stop)
		group.Wait()
		r.start("ok")
		for _, w := range writers {
			w.check(t)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d writes acknowledged in %s", total.Load(), time.Since(begun).Round(time.Second))
	for i, w := range writers { // and the packets agree
		if n := w.check(t); !r.passes(addressOf(n).String(), 445) || r.passes("10.250.0.1", 445) {
			t.Errorf("packets of tenant %d are not judged by write %d", i, n)
		}
	}
	r.end(syscall.SIGTERM)
	verifyJournal(t, filepath.Join(r.dir, "store"), int(total.Load()))
}

// verifyJournal holds a journal to what the store knows of it: whole, and a line
// for every write.
func verifyJournal(t *testing.T, dir string, writes int) {
	t.Helper()
	s, err := store.Open(dir, store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	head, err := s.Journal().Head()
	if err != nil {
		t.Fatal(err)
	}
	pending, err := s.Journal().Pending()
	if err != nil {
		t.Fatal(err)
	}
	report, err := audit.Verify(t.Context(), filepath.Join(dir, "audit"), head, pending)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Problems) > 0 {
		t.Errorf("the journal: %v", report.Problems)
	}
	if head.Seq < uint64(writes) {
		t.Errorf("the journal has %d lines of %d writes", head.Seq, writes)
	}
}
