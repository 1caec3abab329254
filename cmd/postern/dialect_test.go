package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	v1 "github.com/postern-io/postern/pkg/api/v1"
)

// TestRunDialects speaks with the agent as two other systems do, and has packets
// judged by what was said.
func TestRunDialects(t *testing.T) {
	r := newRig(t)
	r.write("postern.yaml", strings.Replace(r.config(), `listen: ["unix:`, `dialects: [{name: hdp, listen: "http://127.0.0.1:9451"}, {name: northflank, listen: "http://127.0.0.1:9452"}], listen: ["http://127.0.0.1:9440", "unix:`, 1))
	r.start("ok")
	r.stays("198.51.100.7")
	var key v1.CreatedKey
	r.request(r.asRoot(), 201, "POST /keys", `{"name": "d2cadmin", "role": "admin"}`, &key)

	const (
		tenant = "http://127.0.0.1:9451/api/admin/security/whitelist/tenants/acme"
		ports  = "http://127.0.0.1:9452/v1/projects/default/services/default/ports"
		data   = `{"id": "data", "name": "data", "internalPort": 443, "protocol": "TCP"`
		others = `}, {"id": "portal", "name": "portal", "internalPort": 8080, "protocol": "HTTP", "public": true}, {"id": "free", "name": "free", "internalPort": 444, "protocol": "TCP"}]}`
	)
	admin := r.with(key.Secret)
	r.says(admin, 200, "POST "+tenant, `{"dataAccess": [{"startAddress": "192.0.2.0", "endAddress": "192.0.2.9"}]}`)
	r.stays()
	r.says(admin, 200, "PUT "+tenant, `{"dataAccess": [{"startAddress": "198.51.100.0", "endAddress": "198.51.100.10"}]}`)
	r.stays("198.51.100.7")
	r.says(admin, 200, "POST "+ports, `{"ports": [`+data+`, "security": {"policies": [{"addresses": ["198.51.100.7"], "action": "DENY"}]}`+others)
	r.stays()
	r.says(admin, 200, "POST "+ports, `{"ports": [`+data+others) // its id keeps its security
	r.stays()
	r.says(admin, 200, "POST "+ports, `{"ports": [`+data+`, "security": {}`+others)
	r.stays("198.51.100.7")
	r.says(admin, 204, "DELETE "+tenant, "")
	r.stays("198.51.100.7")
}

// says sends a dialect a request, whose answer must have this status.
func (r *rig) says(c *http.Client, status int, line, body string) {
	r.t.Helper()
	method, url, _ := strings.Cut(line, " ")
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != status {
		r.t.Fatalf("%s: %s %s %v, want %d", line, resp.Status, text, err, status)
	}
}
