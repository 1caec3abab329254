package main

import (
	"fmt"
	"strings"
	"testing"
)

// newGuarded is a host with every API, whose callers a balancer on it names, and
// with a session to port 443 that no change may cut unasked.
func newGuarded(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	r.offer(`
  client: xff
  proxies: [127.0.0.1]
  guard: {ports: [443]}
  dialects:
    - {name: trustx, listen: "http://127.0.0.1:9450", tenant: "{tenant}.oak.trustx.com"}
    - {name: hdp, listen: "http://127.0.0.1:9451"}
    - {name: northflank, listen: "http://127.0.0.1:9452"}
`, `
  - {name: data, address: everything, ports: [443], tenants: [acme], resource: dataAccess}
`)
	r.inside.NS.Listen(t, "tcp", hostAddr+":443")
	r.start("ok")
	session, err := r.outside.NS.Dial(t.Context(), "tcp", hostAddr+":443")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return r
}

const forced = "X-Postern-Force: true"

// TestGuardLocksOut changes lists, over each API, so that the caller or a session
// is shut out. It is refused, and nothing of it is done, unless it is meant.
func TestGuardLocksOut(t *testing.T) {
	r := newGuarded(t)
	r.root("PUT /tenants/acme", `{}`).is(200)
	admin := r.key(`{"name": "admin", "role": "admin"}`)
	head := r.key(`{"name": "head", "role": "tenant-admin", "tenant": "acme"}`)
	const caller, session, elsewhere = "198.51.100.7", "203.0.113.1", "192.0.2.0/24"
	native := func(as apiKey, from string) int {
		return r.curl("GET http://127.0.0.1:9440/api/v1/lists", "", "--header", as.bearer(), "--header", "X-Forwarded-For: "+from).StatusCode
	}
	const trustx = "http://acme.oak.trustx.com/api/crms/permittedips"
	tests := []struct {
		name, line, body string
		as               apiKey
		args             []string // of curl
		says             []string // in the refusal
		list             string   // that is then there
		shut             func() bool
	}{
		{
			"native-caller", "PUT http://127.0.0.1:9440/api/v1/lists/system/managementAPI", `{"entries": ["` + elsewhere + `"]}`, admin, nil,
			[]string{`"type":"urn:postern:locks-out"`, `"address":"` + caller + `"`, `"lists":["system/managementAPI"]`},
			"system/managementAPI", func() bool { return native(admin, caller) == 403 && native(admin, "192.0.2.1") == 200 },
		},
		{
			"native-tenant", "PUT http://127.0.0.1:9440/api/v1/lists/tenants/acme/managementAPI", `{"entries": ["` + elsewhere + `"]}`, head, nil,
			[]string{`"type":"urn:postern:locks-out"`, `"address":"` + caller + `"`, `"lists":["tenants/acme/managementAPI"]`},
			"tenants/acme/managementAPI", func() bool { return native(head, caller) == 403 && native(admin, caller) == 200 },
		},
		{
			"native-session", "PUT http://127.0.0.1:9440/api/v1/lists/tenants/acme/dataAccess", `{"entries": ["` + elsewhere + `"]}`, admin, nil,
			[]string{`"type":"urn:postern:locks-out"`, `"address":"` + session + `"`, `"lists":["tenants/acme/dataAccess"]`},
			"tenants/acme/dataAccess", func() bool { return !r.passes(session, 443) },
		},
		{
			"hdp-caller", "POST http://127.0.0.1:9451/api/admin/security/whitelist/system",
			`{"adminAPI": [{"startAddress": "192.0.2.0", "endAddress": "192.0.2.255"}]}`, admin, nil,
			[]string{`"code":222208752`, caller, "system/adminAPI"},
			"system/adminAPI", func() bool {
				const line = "GET http://127.0.0.1:9451/api/admin/security/whitelist/system"
				return r.hdp(line, "", admin, caller).StatusCode == 403 && r.hdp(line, "", admin, "192.0.2.1").StatusCode == 200
			},
		},
		{
			"hdp-session", "POST http://127.0.0.1:9451/api/admin/security/whitelist/tenants/acme",
			`{"dataAccess": [{"startAddress": "192.0.2.0", "endAddress": "192.0.2.255"}]}`, admin, nil,
			[]string{`"code":222208752`, session, "tenants/acme/dataAccess"},
			"tenants/acme/dataAccess", func() bool { return !r.passes(session, 443) },
		},
		{
			"trustx-session", "POST " + trustx, `{"ips": ["` + elsewhere + `"]}`, head,
			[]string{"--connect-to", "::127.0.0.1:9450"},
			[]string{`"code":"locks-out"`, `"1 of the connections that there are would be cut by list tenants/acme/*;`}, // whose is not its to know
			"tenants/acme/*", func() bool { return !r.passes(session, 443) },
		},
		{
			"northflank-session", "POST http://127.0.0.1:9452/v1/projects/default/services/default/ports",
			`{"ports": [{"id": "data", "name": "data", "internalPort": 443, "protocol": "TCP", "security": {"policies": [{"addresses": ["` + elsewhere + `"], "action": "ALLOW"}]}}]}`,
			admin, nil,
			[]string{`"id":"locks-out"`, session, "endpoints/data"},
			"endpoints/data", func() bool { return !r.passes(session, 443) },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := r.sub(t)
			send := func(more ...string) *reply {
				args := append(more, "--header", tt.as.bearer(), "--header", "X-Forwarded-For: "+caller)
				return r.curl(tt.line, tt.body, append(args, tt.args...)...)
			}
			no := send().is(409)
			for _, want := range tt.says {
				no.says(want)
			}
			if tt.shut() {
				t.Error("what was refused is in force")
			}
			r.root("GET /lists/"+tt.list, "").is(404)

			if yes := send("--header", forced); yes.StatusCode != 200 && yes.StatusCode != 204 {
				t.Fatalf("by force: %s\n%s", yes.Status, yes.text)
			}
			if !tt.shut() {
				t.Error("what was forced is not in force")
			}
			r.root("GET /audit?limit=1&outcome=success", "").is(200).says(`forced`)
			r.root("DELETE /lists/"+tt.list+"?force=true", "").is(200)
			if tt.shut() {
				t.Error("what was taken back is in force")
			}
		})
	}
}

// TestGuardWarns has a tenant's key shut itself out by a dialect, which only warns.
func TestGuardWarns(t *testing.T) {
	r := newGuarded(t)
	r.root("PUT /tenants/acme", `{}`).is(200)
	head := r.key(`{"name": "head", "role": "tenant-admin", "tenant": "acme"}`)
	send := func() *reply {
		return r.curl("POST http://acme.oak.trustx.com/api/crms/permittedips", `{"ips": ["203.0.113.0/24"]}`, "--connect-to", "::127.0.0.1:9450",
			"--header", head.bearer(), "--header", "X-Forwarded-For: 198.51.100.7")
	}
	if warned := strings.Join(send().is(200).Header.Values("X-Postern-Warning"), "\n"); !strings.Contains(warned, "198.51.100.7") {
		t.Errorf("the warning is %q", warned)
	}
	send().is(403)
	r.admits(443, "203.0.113.1")
	r.refuses(443, "198.51.100.7")
}

// TestGuardOpens tries every way in which what restricts could restrict nothing.
// None goes unasked.
func TestGuardOpens(t *testing.T) {
	r := newGuarded(t)
	admin := r.key(`{"name": "admin", "role": "admin"}`)
	r.root("PUT /tenants/acme", `{}`).is(200)
	unlisted := r.root("GET /status", "").Header.Get("X-Postern-Revision")
	const list, shop = "/lists/tenants/acme/*", `{"address": "everything", "ports": ["8080"], "tenants": ["acme"], "project": "p", "service": "s"`
	r.allow("tenants/acme/*", "198.51.100.0/24", "203.0.113.1")
	closed := r.root("PUT /endpoints/shop", shop+"}").is(200).Header.Get("X-Postern-Revision")

	const open = `"urn:postern:would-open"`
	tests := []struct {
		name, line, body string
		status           int
		says             string
		port             uint16 // that it opens by force; 0: it does not
	}{
		{"delete", "DELETE " + list, "", 409, open, 443},
		{"clear", "PUT " + list, `{"entries": []}`, 409, open, 443},
		{"denials-alone", "PUT " + list, `{"entries": [{"address": "192.0.2.9", "action": "deny"}]}`, 409, open, 443},
		{"off", "PATCH " + list, `{"state": "off"}`, 409, open, 443},
		{"monitor", "PATCH " + list, `{"state": "monitor"}`, 409, open, 443},
		{"last-entry", "DELETE " + list + "/entries?address=198.51.100.0/24&address=203.0.113.1", "", 409, open, 443},
		{"import", "POST " + list + "/import?replace=true&mode=skip-bad", "nothing\n", 200, open, 443},
		{"apply", "POST /apply", `{"documents": [{"tenant": "acme", "lists": {"*": []}}]}`, 409, open, 443},
		{"apply-null", "POST /apply", `{"documents": [{"tenant": "acme", "lists": {"*": null}}]}`, 400, "$.documents[0].lists", 0},
		{"change", "POST /apply", `{"changes": [{"list": "tenants/acme/*", "op": "delete"}]}`, 409, open, 443},
		{"switch", "PUT /filtering", `{"filtering": "off"}`, 409, open, 443},
		{"tenant", "DELETE /tenants/acme", "", 409, open, 443},
		{"endpoint", "DELETE /endpoints/shop", "", 409, open, 8080},
		{"endpoint-monitors", "PUT /endpoints/shop", shop + `, "mode": "monitor"}`, 409, open, 8080},
		{"endpoint-of-nobody", "PUT /endpoints/shop", strings.Replace(shop, `"acme"`, "", 1) + "}", 409, open, 8080},
		{"endpoint-of-others-too", "PUT /endpoints/shop", strings.Replace(shop, `"acme"`, `"acme", "globex"`, 1) + "}", 409, open, 8080},
		{"rollback-list", "POST /revisions/" + unlisted + "/rollback?list=tenants/acme/*", "", 409, open, 443},
		{"rollback-tenant", "POST /revisions/" + unlisted + "/rollback?tenant=acme", "", 409, open, 443},
		{"rollback-all", "POST /revisions/" + unlisted + "/rollback", "", 409, open, 443},
		{"all-entries-disabled", "PUT " + list, `{"entries": [{"address": "203.0.113.1", "enabled": false}]}`, 409, `"urn:postern:locks-out"`, 0},
		{"all-entries-over", "PUT " + list, `{"entries": [{"address": "203.0.113.1", "expires": "2020-01-01T00:00:00Z"}]}`, 409, `"urn:postern:locks-out"`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := r.sub(t)
			var args []string
			if strings.Contains(tt.line, "/import") {
				args = []string{"--header", "Content-Type: text/plain"}
			}
			r.root(tt.line, tt.body, args...).is(tt.status).says(tt.says)
			r.refuses(443, "192.0.2.1")
			r.refuses(8080, "192.0.2.1")

			r.root(tt.line, tt.body, append(args, "--header", forced)...)
			for _, port := range []uint16{443, 8080} {
				if passes := r.passes("192.0.2.1", port); tt.port == 0 && passes || tt.port == port && !passes {
					t.Errorf("by force: a packet to port %d passes: %t", port, passes)
				}
			}
			r.root("POST /revisions/"+closed+"/rollback?force=true", "").is(200)
			r.admits(443, "198.51.100.7")
			r.refuses(443, "192.0.2.1")
		})
	}

	// And over those dialects that have no word for it.
	for line, status := range map[string]int{
		"POST http://acme.oak.trustx.com/api/crms/permittedips":             400,
		"POST http://northflank.example.com/v1/projects/p/services/s/ports": 409,
	} {
		body, port := `{"ips": []}`, "9450"
		if status == 409 {
			body, port = `{"ports": []}`, "9452"
		}
		r.curl(line, body, "--connect-to", "::127.0.0.1:"+port, "--header", admin.bearer(), "--header", "X-Forwarded-For: 198.51.100.7").is(status)
	}
	r.refuses(443, "192.0.2.1")
	r.refuses(8080, "192.0.2.1")
}

// TestRollbackRevivesNoKey goes back to when keys that are gone were good.
func TestRollbackRevivesNoKey(t *testing.T) {
	r := newGuarded(t)
	r.root("PUT /tenants/acme", `{}`).is(200)
	gone := r.key(`{"name": "gone", "role": "tenant-admin", "tenant": "acme"}`)
	blocked := r.key(`{"name": "blocked", "role": "admin"}`)
	good := r.key(`{"name": "good", "role": "admin"}`)
	status := func(k apiKey) int {
		return r.curl("GET http://127.0.0.1:9440/api/v1/lists", "", "--header", k.bearer(), "--header", "X-Forwarded-For: 198.51.100.7").StatusCode
	}
	then := r.root("GET /status", "").Header.Get("X-Postern-Revision")
	r.allow("tenants/acme/*", "203.0.113.1")
	r.root("DELETE /keys/"+gone.ID, "").is(204)
	r.root("PATCH /keys/"+blocked.ID, `{"status": "BLOCKED"}`).is(200)
	r.root("POST /revisions/"+then+"/rollback?force=true", "").is(200)
	r.admits(443, "192.0.2.1")
	if got := fmt.Sprint(status(gone), status(blocked), status(good)); got != "401 401 200" {
		t.Errorf("gone, blocked, good: got %s, want 401 401 200", got)
	}
}
