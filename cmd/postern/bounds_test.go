package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/testenv"
)

// unharmed checks that the agent judges packets, answers and takes writes, all at
// once, and soon.
func (r *rig) unharmed() {
	r.t.Helper()
	begun := time.Now()
	r.check(r.reverted(443))
	r.root("GET /status", "").is(200)
	r.root("PUT /lists/tenants/globex/*", fmt.Sprintf(`{"entries": ["192.0.2.0/24", {"address": "10.0.0.1", "comment": "%d"}]}`, begun.UnixNano())).is(200)
	r.check(r.tried(444))
	if took := time.Since(begun); took > 3*time.Second {
		r.t.Errorf("packets, a question and a write took %s", took)
	}
}

// heavy sends a body by curl, looks after the agent meanwhile, and returns the
// answer with its status behind it.
func (r *rig) heavy(line, contentType string, body []byte) string {
	r.t.Helper()
	method, url, _ := strings.Cut(line, " ")
	done := make(chan struct{})
	var out []byte
	var err error
	go func() {
		defer close(done)
		out, err = r.output(bytes.NewReader(body), "curl", "--silent", "--show-error", "--globoff", "--noproxy", "*", "--max-time", "60",
			"--unix-socket", r.apiPath, "--request", method, "--header", "Content-Type: "+contentType, "--header", "Expect:",
			"--data-binary", "@-", "--write-out", "\n%{http_code}", "http://localhost/api/v1"+url)
	}()
	for {
		r.unharmed()
		select {
		case <-done:
			// Who is refused before all is sent may not come to the answer.
			if err != nil && len(out) < len("\n000") {
				r.t.Fatalf("%s: %v", line, err)
			}
			return string(out)
		default:
		}
	}
}

// TestBounds sends what is too much. It is refused clearly, and the agent is none
// the worse for it.
func TestBounds(t *testing.T) {
	r := newPair(t)
	var million strings.Builder
	for i := range 1_000_000 {
		fmt.Fprintf(&million, "10.%d.%d.%d\n", i>>16, i>>8&255, i&255)
	}
	deep := strings.Repeat("[", 500_000)
	const (
		list = "PUT /lists/tenants/acme/*"
		text = "text/plain"
		json = "application/json"
	)
	tests := []struct {
		name, line, contentType, body, status, says string
	}{
		{"ten-megabytes", list, json, strings.Repeat(" ", 10<<20), "413", `"urn:postern:too-large"`},
		{"a-million-entries", list, json, millionEntries(), "413", `"urn:postern:too-large"`},
		{"a-million-lines", "POST /lists/tenants/acme/*/import?replace=true", text, million.String(), "200", `more than the 10000 entries that a list may have`},
		{"a-million-empty-lines", "POST /lists/tenants/acme/*/import", text, strings.Repeat("\n", 1_000_000) + "198.51.100.0/24\n", "200", `"same":1}`},
		{"deep", list, json, `{"entries": ` + deep, "400", `nested more than 64 deep`},
		{"deep-attributes", "PUT /tenants/acme", json, `{"attributes": {"a": ` + deep + strings.Repeat("]", 500_000) + "}}", "400", `nested more than 64 deep`},
		{"all-mistakes", list, json, `{"entries": [` + strings.TrimSuffix(strings.Repeat(`"x",`, 200_000), ",") + `]}`, "400", `more than 10000 items`},
		{"all-keys", list, json, "{" + strings.TrimSuffix(strings.Repeat(`"k":0,`, 150_000), ",") + "}", "400", `this key stands here already`},
		{"bytes", list, json, string(bytes.Repeat([]byte{0xff, 0, '"', '\\'}, 1000)), "400", `"urn:postern:invalid"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := r.sub(t)
			begun := time.Now()
			got := r.heavy(tt.line, tt.contentType, []byte(tt.body))
			end := got[max(0, len(got)-2000):]
			if !strings.HasSuffix(got, "\n"+tt.status) || !strings.Contains(got, tt.says) {
				t.Errorf("%s answers %d bytes, ending with %s, want %s and %s", tt.line, len(got), end, tt.status, tt.says)
			}
			if tt.contentType == json && len(got) > 1<<20 {
				t.Errorf("the refusal has %d bytes", len(got))
			}
			t.Logf("%d bytes are answered in %s", len(tt.body), time.Since(begun))
		})
	}
}

// TestBoundOfEntries sends a million entries where bodies may be as long as that.
func TestBoundOfEntries(t *testing.T) {
	r := newPair(t)
	r.end(syscall.SIGTERM)
	r.edit("postern.yaml", "api:\n", "api:\n  max_body: 32MiB\n")
	r.start("ok")
	got := r.heavy("PUT /lists/tenants/acme/*", "application/json", []byte(millionEntries()))
	if !strings.HasSuffix(got, "\n400") || !strings.Contains(got, "more than 10000 items") || len(got) > 1<<20 {
		t.Errorf("the answer has %d bytes: %.2000s", len(got), got)
	}
}

func millionEntries() string {
	return `{"entries": [` + strings.Repeat(`"10.0.0.1",`, 999_999) + `"10.0.0.1"]}`
}

// TestSlowCallers holds connections open and sends next to nothing by them.
func TestSlowCallers(t *testing.T) {
	r := newPair(t)
	admin := r.key(`{"name": "admin", "role": "admin"}`)
	r.end(syscall.SIGTERM)
	r.edit("postern.yaml", "api:\n", "api:\n  max_connections: 40\n")
	r.start("ok")
	head := "PUT /api/v1/lists/tenants/acme/* HTTP/1.1\r\nHost: localhost\r\n" + admin.bearer() +
		"\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
	var slow []net.Conn
	for i := range 60 { // more than there is room for
		conn, err := r.inside.NS.Dial(t.Context(), "tcp", "127.0.0.1:9440")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		part := head[:20+i%10]
		if i%2 == 0 {
			part = head
		}
		_, _ = io.WriteString(conn, part) // who is let go at once may not take it
		slow = append(slow, conn)
	}
	for range 5 {
		r.unharmed()
	}
	gone := func() (n int) {
		for _, conn := range slow {
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			if _, err := io.Copy(io.Discard, conn); !errors.Is(err, os.ErrDeadlineExceeded) {
				n++
			}
		}
		return n
	}
	if n := gone(); n != 20 {
		t.Errorf("%d of 60 connections are let go at once, with room for 40", n)
	}
	// Who cannot say in five seconds what it wants goes, and makes room.
	testenv.Eventually(t, 10*time.Second, func() error {
		if n := gone(); n != 40 {
			return fmt.Errorf("%d of 60 connections are let go, want those beyond the room and those without a request", n)
		}
		return nil
	})
	r.curl("GET http://127.0.0.1:9440/api/v1/status", "", "--header", admin.bearer()).is(200)
	r.unharmed()
}
