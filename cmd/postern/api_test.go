package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/postern-io/postern/pkg/api/v1"
)

// TestRunAPI changes lists over the API, as root and with a key over TCP, and has
// packets judged by what was answered.
func TestRunAPI(t *testing.T) {
	r := newRig(t)
	r.write("postern.yaml", strings.Replace(r.config(), `listen: ["unix:`, `listen: ["http://127.0.0.1:9440", "unix:`, 1))
	r.start("ok")
	r.stays("198.51.100.7")
	var key v1.CreatedKey
	r.request(r.asRoot(), 201, "POST /keys", `{"name": "acme-ci", "role": "tenant-admin", "tenant": "acme"}`, &key)

	r.request(r.with(""), 401, "GET /lists", "", nil)
	acme := r.with(key.Secret)
	r.request(acme, 403, "GET /status", "", nil)
	var p v1.Problem
	r.request(acme, 409, "PUT /lists/tenants/acme/*", `{"entries": ["198.51.100.7"]}`, &p)
	if p.File != r.listDir+"/acme.yaml" {
		t.Errorf("a file's list is refused by %+v", p)
	}

	const list = "/lists/tenants/acme/dataAccess"
	var done v1.Written
	header := r.request(acme, 200, "PUT "+list+"?reason=move", `{"entries": ["192.0.2.1"]}`, &done)
	r.stays() // what is answered is in force
	if done.Revision != 2 || header.Get("X-Postern-Revision") != "2" || header.Get("X-Postern-Enforced") != "true" ||
		header.Get("x-ratelimit-limit") != "1000" {
		t.Errorf("written as %+v with %v", done, header)
	}
	r.request(acme, 200, "POST "+list+"/entries", `{"entries": ["198.51.100.0/24"]}`, nil)
	r.stays("198.51.100.7")

	r.end(syscall.SIGKILL)
	r.start("ok")
	r.stays("198.51.100.7")
	r.request(acme, 200, "DELETE "+list+"/entries?address=198.51.100.0/24", "", nil)
	r.stays()
	r.request(acme, 409, "DELETE "+list, "", nil)
	r.request(acme, 200, "POST /revisions/3/rollback?list=tenants/acme/dataAccess", "", nil)
	r.stays("198.51.100.7")
	var past v1.RevisionPage
	r.request(acme, 200, "GET /revisions", "", &past)
	var journal v1.AuditPage
	r.request(acme, 200, "GET /audit?outcome=success", "", &journal)
	if len(past.Revisions) != 5 || past.Revisions[3].Reason != "move" || len(journal.Events) != 6 {
		t.Errorf("history is %+v, and the journal %s", past, journal.Events)
	}
}

// asRoot asks over the unix socket.
func (r *rig) asRoot() *http.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", r.apiPath)
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: 10 * time.Second}
}

// with asks over TCP from the agent's own host, with a key's secret.
func (r *rig) with(secret string) *http.Client {
	t := &http.Transport{DialContext: r.inside.NS.Dial, DisableKeepAlives: true}
	return &http.Client{Transport: authorized{t, secret}, Timeout: 10 * time.Second}
}

// authorized sends a secret along.
type authorized struct {
	http.RoundTripper
	secret string
}

func (a authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	if a.secret != "" {
		req.Header.Set("Authorization", "Bearer "+a.secret)
	}
	return a.RoundTripper.RoundTrip(req)
}

// request asks for what the line says, whose answer must have this status, and
// reads it into v.
func (r *rig) request(c *http.Client, status int, line, body string, v any) http.Header {
	r.t.Helper()
	method, path, _ := strings.Cut(line, " ")
	req, err := http.NewRequest(method, "http://127.0.0.1:9440"+v1.Base+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		r.t.Fatalf("%s: %s %s %v, want %d", line, resp.Status, text, err, status)
	}
	if v != nil {
		if err := json.Unmarshal(text, v); err != nil {
			r.t.Fatalf("%s: %s: %v", line, text, err)
		}
	}
	return resp.Header
}
