package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestSeedPort plays "Security": the formats of a restriction list, who writes it,
// and what is told to whom it does not hold, over the gate and over Port's API.
func TestSeedPort(t *testing.T) {
	r := newRig(t)
	r.offer(`
  client: xff
  proxies: [127.0.0.1]
  dialects: [{name: port, listen: "http://127.0.0.1:9453"}]
  published:
    - {name: Port API EU, hosts: [api.port.io], region: eu-west-1, privatelink: com.amazonaws.vpce.eu-west-1.vpce-svc-02addcefd47049d3f}
`, fmt.Sprintf(`
  - {name: api, address: %[1]s, ports: [443], tenants: [org_acme], resource: dataAccess}
  - name: ui
    address: %[1]s
    ports: [8080]
    tenants: [org_acme]
    resource: webUI
    client: xff
    proxies: [203.0.113.1]
    http: {listen: "%[1]s:8080", upstream: "http://127.0.0.1:3000"}
`, hostAddr))
	serveUntilTheEnd(t, r.inside.NS.Listen(t, "tcp", "127.0.0.1:3000"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "through")
	}))
	r.start("ok")

	// "Managing a customer's IP restriction list is performed by Port's staff."
	r.root("PUT /tenants/org_acme", `{"name": "ACME", "selfService": false}`).is(200)
	customer := r.key(`{"name": "customer", "role": "tenant-admin", "tenant": "org_acme"}`)
	r.curl("PUT http://127.0.0.1:9440/api/v1/lists/tenants/org_acme/*", `{"entries": ["10.0.0.0/8"]}`, "--header", customer.bearer()).is(403)
	r.admits(443, "2.2.2.2")
	r.allow("tenants/org_acme/*", "1.1.1.1", "1.1.1.0-1.1.2.250", "127.0.0.1/24")

	r.admits(443, "1.1.1.0", "1.1.1.1", "1.1.2.0", "1.1.2.250")
	r.refuses(443, "1.1.0.255", "1.1.2.251", "2.2.2.2", "127.0.0.1") // a loopback source on a wire is forged
	const refusal = "IP not whitelisted. Found x-forwarded-for header: %s, orgId: org_acme"
	for source, passes := range map[string]bool{
		"1.1.1.1": true, "1.1.2.250": true, "127.0.0.77": true, "1.1.2.251": false, "2.2.2.2": false, "127.0.1.1": false,
	} {
		from := "X-Forwarded-For: " + source
		body, status := r.browse(from)
		token := r.curl("POST http://127.0.0.1:9453/v1/auth/access_token",
			fmt.Sprintf(`{"clientId": %q, "clientSecret": %q}`, customer.ID, customer.Secret), "--header", from)
		if passes {
			token.is(200)
			if status != 200 || body != "through" {
				t.Errorf("%s at the gate: %d %s", source, status, body)
			}
			continue
		}
		want := fmt.Sprintf(refusal, source)
		if status != 403 || body != want {
			t.Errorf("%s at the gate: %d %q, want 403 %q", source, status, body, want)
		}
		if token.is(403); token.text != want || token.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s at the API: %s %q, want %q", source, token.Header.Get("Content-Type"), token.text, want)
		}
	}
	portAuditLog(t, r, customer)

	// "You will need to add the following addresses to your network's allowlist."
	r.curl("GET http://127.0.0.1:9440/api/v1/published", "", "--header", "X-Forwarded-For: 2.2.2.2").is(200).equals(`{"published": [{
		"hosts": ["api.port.io"], "name": "Port API EU",
		"privatelink": "com.amazonaws.vpce.eu-west-1.vpce-svc-02addcefd47049d3f", "region": "eu-west-1"
	}]}`)
}

// browse asks the gate for a page, as the proxy before it does.
func (r *rig) browse(header string) (body string, status int) {
	r.t.Helper()
	out := r.outside.NS.Run(r.t, "curl", "--silent", "--noproxy", "*", "--max-time", "5", "--header", header,
		"--write-out", "\n%{http_code}", "http://"+hostAddr+":8080/")
	at := strings.LastIndex(out, "\n")
	if _, err := fmt.Sscan(out[at+1:], &status); err != nil {
		r.t.Fatalf("curl says %q: %v", out, err)
	}
	return out[:at], status
}

// portAuditLog trades a client's secret for a token, and reads what became of its
// organisation.
func portAuditLog(t *testing.T, r *rig, customer apiKey) {
	t.Helper()
	ask := func(line, body string, args ...string) *reply {
		return r.curl(line, body, append(args, "--header", "X-Forwarded-For: 1.1.1.1")...)
	}
	login := fmt.Sprintf(`{"clientId": %q, "clientSecret": %q}`, customer.ID, customer.Secret)
	var token, again struct {
		OK          bool
		AccessToken string
		ExpiresIn   int
		TokenType   string
	}
	a := ask("POST http://127.0.0.1:9453/v1/auth/access_token", login).is(200).into(&token)
	if !token.OK || token.TokenType != "Bearer" || token.ExpiresIn < 10_700 || token.ExpiresIn > 10_800 {
		t.Errorf("the token is %+v", token)
	}
	for _, name := range []string{"X-Trace-Id", "X-Ratelimit-Period", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"} {
		if a.Header.Get(name) == "" {
			t.Errorf("an answer without %s", name)
		}
	}
	if ask("POST http://127.0.0.1:9453/v1/auth/access_token", login).is(200).into(&again); again.AccessToken != token.AccessToken {
		t.Error("the second token is another")
	}
	ask("POST http://127.0.0.1:9453/v1/auth/access_token", `{"clientId": "nobody", "clientSecret": "x"}`).is(401).
		equals(`{"ok": false, "error": "unauthorized", "message": "these credentials are not good"}`)

	var log struct {
		OK     bool
		Audits []struct {
			Action, Status, ResourceType string
			Context                      struct{ Entity string }
			Diff                         struct{ After json.RawMessage }
		}
	}
	ask("GET http://127.0.0.1:9453/v1/audit-log?action=CREATE&resources=list&status=SUCCESS", "", "--header", "Authorization: Bearer "+token.AccessToken).
		is(200).into(&log)
	if !log.OK || len(log.Audits) != 1 || log.Audits[0].Context.Entity != "tenants/org_acme/*" ||
		!strings.Contains(string(log.Audits[0].Diff.After), "1.1.1.0-1.1.2.250") {
		t.Errorf("the log says %+v", log)
	}
	ask("GET http://127.0.0.1:9453/v1/audit-log", "").is(401)
}
