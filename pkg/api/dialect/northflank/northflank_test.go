package northflank_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/dialect/dialecttest"
	"github.com/postern-io/postern/pkg/api/dialect/northflank"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

const (
	example  = "/v1/projects/default-service/services/example-service/ports"
	defaults = "/v1/projects/default/services/default/ports"
)

// certificates are one's, for app.example.com.
type certificates struct{}

func (certificates) Of(host string) (notBefore, notAfter time.Time, ok bool) {
	until := time.Date(2022, 4, 26, 9, 25, 2, 0, time.UTC)
	return until.AddDate(0, -3, 0), until, host == "app.example.com"
}

// newRig is the API over two endpoints of a file: portal, which the gate serves,
// and dns.
func newRig(t testing.TB) *dialecttest.Rig {
	t.Helper()
	at := policy.Pos{File: "/etc/postern/postern.yaml", Line: 9}
	acme := &policy.Tenant{ID: "acme", Stored: true, Names: map[string]string{"1": ""}}
	s := &policy.State{Tenants: policy.MapOf(map[string]*policy.Tenant{"acme": acme}), Endpoints: []*policy.Endpoint{
		{Name: "Customer.Portal", Ports: ports(8080), Resource: "*", HTTP: &policy.HTTP{Listen: ":8080", Upstream: "http://127.0.0.1:3000"}, Pos: at},
		{Name: "dns", Protocol: policy.UDP, Ports: ports(53), Resource: "*", Pos: at},
		{Name: "all", Protocol: policy.AnyProtocol, Destination: policy.Destination{Prefix: netip.MustParsePrefix("192.0.2.1/32")}, Resource: "*", Pos: at},
	}}
	return dialecttest.New(t, s, func(c *control.Service) (*front.Way, http.Handler) {
		d := northflank.New(c, northflank.Options{
			DNS: "{name}--{service}--{project}--user-abc1.salvo.code.run", Certificates: certificates{},
		})
		return d.Way, d
	})
}

func ports(n uint16) []policy.PortRange { return []policy.PortRange{{First: n, Last: n}} }

func admin(r *dialecttest.Rig) dialecttest.Key {
	return r.Key(access.Key{Name: "nf", Role: access.Admin})
}

func ask(r *dialecttest.Rig, k dialecttest.Key, line, body string) *httptest.ResponseRecorder {
	return r.Do(dialecttest.Request{Line: line, Body: body, Key: k, Bearer: true})
}

func said(w *httptest.ResponseRecorder) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", w.Code, w.Body))
}

func refusal(status int, id, text string) string {
	return fmt.Sprintf(`%d {"error":{"status":%d,"id":%q,"message":%q}}`, status, status, id, text)
}

// written is the seed's port as it is sent, and shown how it is read.
const (
	written = `{"ports": [{"id": "eonyui", "name": "p01", "internalPort": 8080, "protocol": "HTTP", "public": true, "domains": ["app.example.com"],
"security": {"credentials": [{"username": "admin", "password": "password123", "type": "basic-auth"}],
"policies": [{"addresses": ["127.0.0.1"], "action": "DENY"}],
"sso": {"organizationId": "org_uniquestringidentifier", "directoryGroupIds": ["directory_group_uniquestringidentifier"]}},
"disableNfDomain": false}]}`
	shown = `{
  "data": {
    "ports": [
      {
        "id": "eonyui",
        "name": "p01",
        "internalPort": 8080,
        "protocol": "HTTP",
        "public": true,
        "dns": "p01--example-service--default-service--user-abc1.salvo.code.run",
        "domains": [
          {
            "name": "app.example.com",
            "certificate": {
              "inProgress": false,
              "expiryDate": "2022-04-26T09:25:02.000Z",
              "refreshDate": "2022-03-27T09:25:02.000Z"
            }
          }
        ],
        "security": {
          "credentials": [
            {
              "username": "admin",
              "password": "",
              "type": "basic-auth"
            }
          ],
          "policies": [
            {
              "addresses": [
                "127.0.0.1"
              ],
              "action": "DENY"
            }
          ],
          "sso": {
            "organizationId": "org_uniquestringidentifier",
            "directoryGroupIds": [
              "directory_group_uniquestringidentifier"
            ]
          }
        },
        "disableNfDomain": false
      }
    ]
  }
}`
)

// free leaves the seed's port to the seed.
func free(t testing.TB, r *dialecttest.Rig) {
	s := *r.State()
	s.Endpoints = s.Endpoints[1:]
	r.Enforce(&s)
}

func TestSeed(t *testing.T) {
	r := newRig(t)
	free(t, r)
	a := admin(r)
	if got := said(ask(r, a, "POST "+example, written)); got != `200 {"data":{}}` {
		t.Fatal(got)
	}
	w := ask(r, a, "GET "+example, "")
	if diff := cmp.Diff(shown, w.Body.String()); diff != "" || w.Code != 200 {
		t.Errorf("%d\n%s", w.Code, diff)
	}
	for _, name := range []string{"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"} {
		if w.Header().Get(name) == "" {
			t.Errorf("%s is missing", name)
		}
	}
	hash := r.State().Endpoint("eonyui").Security.Credentials[0].Hash
	if form := regexp.MustCompile(`^\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$`); !form.MatchString(hash) {
		t.Errorf("the password is kept as %q", hash)
	}
	// What was read may be written: through a team's path, too, and it is as it was.
	var read struct{ Data json.RawMessage }
	if err := json.Unmarshal(w.Body.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	before, _ := r.Revision()
	if got := said(ask(r, a, "POST "+strings.Replace(example, "/v1", "/v1/teams/t1", 1), string(read.Data))); got != `200 {"data":{}}` {
		t.Error(got)
	}
	if after, _ := r.Revision(); after != before || r.State().Endpoint("eonyui").Security.Credentials[0].Hash != hash {
		t.Errorf("nothing changed, and revision %d became %d", before, after)
	}
}

// DENY stands before ALLOW whatever the sizes, and the kernel's answer is the law's.
func TestPolicies(t *testing.T) {
	const port = `{"name": "db", "id": "db", "internalPort": 5432, "protocol": "TCP", "security": {"policies": [%s]}}`
	tests := []struct {
		name, policies string
		allow, deny    string
	}{
		{"deny-before-allow", `{"addresses": ["10.0.0.0/8"], "action": "ALLOW"}, {"addresses": ["10.1.2.3"], "action": "DENY"}`, "10.1.2.4", "10.1.2.3 11.0.0.1 2001:db8::1"},
		{"allow-within-deny", `{"addresses": ["10.0.0.0/8"], "action": "DENY"}, {"addresses": ["10.1.2.3/32"], "action": "ALLOW"}`, "", "10.1.2.3 11.0.0.1"},
		{"deny-alone", `{"addresses": ["127.0.0.1"], "action": "DENY"}`, "192.0.2.1 2001:db8::1", "127.0.0.1"},
		{"two-allows", `{"addresses": ["192.0.2.0/24"], "action": "ALLOW"}, {"addresses": ["2001:db8::/32"], "action": "ALLOW"}`, "192.0.2.9 2001:db8::1", "198.51.100.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			if got := said(ask(r, admin(r), "POST "+example, `{"ports": [`+fmt.Sprintf(port, tt.policies)+`]}`)); got != `200 {"data":{}}` {
				t.Fatal(got)
			}
			ep := r.State().Endpoint("db")
			for want, addresses := range map[bool]string{true: tt.allow, false: tt.deny} {
				for _, a := range strings.Fields(addresses) {
					if v := r.Table().DecidePacket(ep, netip.MustParseAddr(a)); v.Allow != want {
						t.Errorf("%s: allow %t, want %t (%s)", a, v.Allow, want, v.Reason)
					}
				}
			}
		})
	}
}

const (
	portal = `{"id": "Customer.Portal", "name": "Customer.Portal", "internalPort": 8080, "protocol": "HTTP", "public": true`
	dns    = `{"id": "dns", "name": "dns", "internalPort": 53, "protocol": "UDP"`
)

func TestFiles(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"as-they-are", `{"ports": [` + portal + `}, ` + dns + `}]}`, `200 {"data":{}}`},
		{"security", `{"ports": [` + portal + `, "security": {"policies": [{"addresses": ["192.0.2.0/24"], "action": "ALLOW"}]}}, ` + dns + `}]}`, `200 {"data":{}}`},
		{
			"another-port", `{"ports": [` + strings.Replace(portal, "8080", "8081", 1) + `}, ` + dns + `}]}`,
			refusal(409, "file-owned", "endpoint Customer.Portal stands in /etc/postern/postern.yaml; change it in that file"),
		},
		{"left-out", `{"ports": [` + portal + `}]}`, refusal(409, "file-owned", "endpoint dns stands in /etc/postern/postern.yaml; change it in that file")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			if got := said(ask(r, admin(r), "POST "+defaults, tt.body)); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
	r := newRig(t)
	a := admin(r)
	ask(r, a, "POST "+defaults, tests[1].body)
	ep := r.State().Endpoint("Customer.Portal")
	if !ep.Secured || len(ep.Policies.Entries) != 1 || ep.Pos.File == "" || ep.HTTP == nil {
		t.Errorf("%+v", ep)
	}
}

// The id of a port keeps its security, and all that the API cannot show of it.
func TestKeeps(t *testing.T) {
	const port = `{"id": "db", "name": "db", "internalPort": 5432, "protocol": "TCP"`
	const secured = port + `, "security": {"verificationMode": "or", "policies": [{"addresses": ["192.0.2.0/29", "192.0.2.8/31"], "action": "ALLOW"}], "headers": [{"name": "X-Team", "value": "a*"}],
"credentials": [{"username": "ann", "password": "%s", "type": "basic-auth"}]}}`
	r := newRig(t)
	a := admin(r)
	post := func(line, ports, want string) {
		t.Helper()
		if got := said(ask(r, a, line, `{"ports": [`+ports+`]}`)); got != want {
			t.Fatalf("%s\n%s, want %s", ports, got, want)
		}
	}
	const done = `200 {"data":{}}`
	post("POST "+example, fmt.Sprintf(secured, "secret"), done)
	hash := r.State().Endpoint("db").Security.Credentials[0].Hash
	mixed := dialecttest.Entries(t, "192.0.2.0-192.0.2.9", "198.51.100.1", "198.51.100.2", "203.0.113.9")
	mixed[0].Comment, mixed[0].Expires = "Paris", time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	mixed[1].Disabled, mixed[2].Expires, mixed[3].Action = true, time.Unix(0, 0), policy.Deny
	r.List("endpoints/db", mixed...)

	w := ask(r, a, "GET "+example, "")
	if got, want := w.Header().Get("X-Postern-Hidden"), "disabled=1, expired=1"; got != want {
		t.Errorf("X-Postern-Hidden: %q, want %q", got, want)
	}
	if !strings.Contains(w.Body.String(), `"name": "X-Team"`) || strings.Contains(w.Body.String(), "a*") {
		t.Errorf("a header without its name, or with its value: %s", w.Body)
	}
	before, list := r.State().Endpoint("db"), r.State().Endpoint("db").Policies
	var read struct{ Data json.RawMessage }
	if err := json.Unmarshal(w.Body.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if got := said(ask(r, a, "POST "+example, string(read.Data))); got != done || !before.Same(r.State().Endpoint("db")) {
		t.Errorf("written back: %s\n%s\n%s", got, w.Body, cmp.Diff(list.Entries, r.State().Endpoint("db").Policies.Entries, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })))
	}

	post("POST "+example, strings.Replace(port, `"db", "int`, `"pg", "int`, 1)+`}`, done)
	if ep := r.State().Endpoint("db"); ep.Port.Name != "pg" || ep.Verify != policy.VerifyOr || !ep.Policies.Same(list) || ep.Security.Credentials[0].Hash != hash {
		t.Errorf("with the id alone: %+v", ep)
	}
	post("POST "+example, fmt.Sprintf(secured, ""), done)
	if got := r.State().Endpoint("db").Security.Credentials[0].Hash; got != hash {
		t.Error(`"" changed the password`)
	}
	post("POST "+example, fmt.Sprintf(secured, "another"), done)
	if got := r.State().Endpoint("db").Security.Credentials[0].Hash; got == hash {
		t.Error("another password is the old one")
	}
	post("POST "+example, port+`, "security": {}}`, done) // its list restricts by what is hidden
	if ep := r.State().Endpoint("db"); ep.Security != nil || ep.Verify != policy.VerifyAnd || len(ep.Policies.Entries) != 2 {
		t.Errorf("with {}: %+v", ep)
	}
	post("POST "+example, "", refusal(409, "would-open", "endpoints/db: it is gone; what restricted would restrict nothing; send it again with force, if that is meant"))
	post("POST "+example+"?force=true", "", done)
	if r.State().Endpoint("db") != nil {
		t.Error("a port that was left out is still there")
	}
	post("POST "+example, `{"name": "web", "internalPort": 81, "protocol": "HTTP/2", "public": true}`, done)
	var made []string
	for _, ep := range r.State().Endpoints {
		if ep.Service == "example-service" {
			made = append(made, ep.Name)
		}
	}
	if len(made) != 1 || !regexp.MustCompile(`^[a-z]{6}$`).MatchString(made[0]) {
		t.Errorf("new ports are called %q", made)
	}
}

func TestMistakes(t *testing.T) {
	const ok = `"name": "a", "internalPort": 1, "protocol": "TCP"`
	tests := []struct {
		name, body string
		want       []string
	}{
		{"fields", `{"ports": [{"id": "-a", "name": "too-long-a-name", "internalPort": 65536, "protocol": "http", "public": 1, "domains": ["no host", {"name": "app.example.com", "x": 1}], "disableNfDomain": null, "vpcAccessible": true, "nmae": ""}]}`, []string{
			`$.ports[0].id: "-a" is no id; an id is like ^[a-z]-?[a-z0-9]+(-[a-z0-9]+)*$, and at most 64 characters`,
			`$.ports[0].name: "too-long-a-name" is no port's name; a name is like ^[a-zA-Z](-?[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*)?$, and at most 8 characters`,
			`$.ports[0].internalPort: 65536 is not a whole number from 1 to 65535`,
			`$.ports[0].protocol: "http" is not HTTP or HTTP/2 or TCP or UDP; did you mean HTTP?`,
			`$.ports[0].public: a number where true or false should be`,
			`$.ports[0].domains[0]: it is no domain; write it like app.example.com`,
			`$.ports[0].domains[1]: "x" is no key of a domain; write its name alone`,
			`$.ports[0].disableNfDomain: null where true or false should be`,
			`$.ports[0].vpcAccessible: there is no private load balancer here; write false, or leave it out`,
			`$.ports[0].nmae: no such key; did you mean name?`,
		}},
		{"security", `{"ports": [{` + ok + `, "security": {"credentials": [{"username": "ad", "password": "x", "type": "basic"}, {}], "policies": [{"addresses": ["10.0.0.0-10.0.0.9", "10.0.0.300"], "action": "allow"}, {"addresses": [], "action": "DENY"}], "ip": [{}],
"sso": {"validateInternalTraffic": true, "allowInternalTrafficViaPublicDns": true}, "verificationMode": "xor", "headers": [{"name": "a b", "value": ""}, {"name": "a", "value": "(", "regexMode": true}], "securePathConfiguration": {}}}]}`, []string{
			`$.ports[0].security.credentials[0].username: "ad" is no username; a username is like ^[a-zA-Z](-?[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*)?$, of 3 to 39 characters`,
			`$.ports[0].security.credentials[0].type: "basic" is not basic-auth`,
			`$.ports[0].security.credentials[1].username: missing`,
			`$.ports[0].security.credentials[1].password: missing`,
			`$.ports[0].security.credentials[1].type: missing`,
			`$.ports[0].security.policies[0].addresses[0]: a range, and rules have addresses and prefixes; write 10.0.0.0/29, 10.0.0.8/31`,
			`$.ports[0].security.policies[0].addresses[1]: address 10.0.0.300: 300 is more than 255`,
			`$.ports[0].security.policies[0].action: "allow" is not ALLOW or DENY; did you mean ALLOW?`,
			`$.ports[0].security.policies[1]: a rule without addresses; leave the rule out`,
			`$.ports[0].security.ip[0].addresses: missing`,
			`$.ports[0].security.ip[0].action: missing`,
			`$.ports[0].security.sso: validateInternalTraffic and allowInternalTrafficViaPublicDns exclude each other; keep one of them`,
			`$.ports[0].security.verificationMode: "xor" is not and or or; did you mean or?`,
			`$.ports[0].security.headers[0].name: "a b" is no header's name; write it like X-Secret`,
			"$.ports[0].security.headers[1]: value is no expression: error parsing regexp: missing closing ): `(`",
			`$.ports[0].security.securePathConfiguration: rules by path are not applied here; leave it out, and secure the whole port`,
		}},
		{"null", `{"ports": [{` + ok + `, "security": null}]}`, []string{"$.ports[0].security: null says neither that it stays nor that it goes; leave it out, or write {}"}},
		{"public-tcp", `{"ports": [{` + ok + `, "public": true}]}`, []string{"$.ports[0]: TCP is not for public ports; write HTTP or HTTP/2, or public: false"}},
		{"no-password", `{"ports": [{` + ok + `, "security": {"credentials": [{"username": "ann", "password": "", "type": "basic-auth"}]}}]}`, []string{"$.ports[0]: ann has no password that could be kept; write one"}},
		{"no-value", `{"ports": [{` + ok + `, "security": {"headers": [{"name": "X-Team", "value": ""}]}}]}`, []string{"$.ports[0]: header X-Team has no value that could be kept; write one"}},
		{"another-service", `{"ports": [{"id": "dns", ` + ok + `}]}`, []string{"$.ports[0].id: dns is no port of this service; leave it out, or write another"}},
		{"twins", `{"ports": [{` + ok + `}, {` + ok + `}]}`, []string{"$.ports: two ports have the name a; give one of them another"}},
		{"nothing", `{}`, []string{"$.ports: missing"}},
	}
	r := newRig(t)
	a := admin(r)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got struct {
				Error struct {
					Status      int
					ID, Message string
				}
			}
			w := ask(r, a, "POST "+example, tt.body)
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 400 || got.Error.Status != 400 || got.Error.ID != "invalid" {
				t.Fatal(said(w))
			}
			if diff := cmp.Diff(tt.want, strings.Split(got.Error.Message, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, tt := range []struct{ name, line, body, want string }{
		{"unknown-domain", "POST " + example, `{"ports": [{` + ok + `, "domains": ["www.example.com"]}]}`, refusal(404, "not-found", "domain www.example.com is not known; no certificate names it")},
		{
			"taken-port", "POST " + example, `{"ports": [{"id": "web", "name": "web", "internalPort": 8080, "protocol": "HTTP"}]}`,
			refusal(422, "unprocessable", "endpoint web: tcp port 8080 of this host is as much endpoint Customer.Portal's (/etc/postern/postern.yaml:9); give one of them fewer addresses or ports"),
		},
		{"no-service", "GET /v1/projects/a%20b/services/c/ports", "", refusal(404, "not-found", "there is no such service; ids have letters, digits and . _ -")},
		{"no-path", "GET /v1/projects", "", refusal(404, "not-found", "/v1/projects: there is nothing here")},
		{"no-method", "PATCH " + example, "{}", refusal(405, "method-not-allowed", "PATCH is nothing to do here; there is GET, POST")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := said(ask(r, a, tt.line, tt.body)); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
	if number, _ := r.Revision(); number != 1 {
		t.Errorf("revision %d, want 1: nothing was to be applied", number)
	}
}
