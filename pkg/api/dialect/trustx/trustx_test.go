package trustx_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/dialect/dialecttest"
	"github.com/postern-io/postern/pkg/api/dialect/trustx"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

const (
	acme    = "https://acme.oak.trustx.com"
	beta    = "https://beta.oak.trustx.com"
	ips     = "/api/crms/permittedips"
	apiKeys = "/api/arthr/apiKeys"
)

// newRig serves two tenants without lists; acme has attributes.
func newRig(t *testing.T) *dialecttest.Rig {
	t.Helper()
	var r *dialecttest.Rig
	r = dialecttest.New(t, &policy.State{}, func(c *control.Service) (*front.Way, http.Handler) {
		d := trustx.New(c, trustx.Options{
			Tenant: "{tenant}.{region}.trustx.com", Now: func() time.Time { return r.Now() },
		})
		return d.Way, d
	})
	r.From = "127.0.0.1" // which no list keeps out
	for id, attributes := range map[string]string{"acme": seedAttributes, "beta": ""} {
		r.Write(control.EditTenant(id, func(rec *policy.TenantRecord) { rec.Attributes = json.RawMessage(attributes) }))
	}
	return r
}

// updater is a key of acme's that may do what the seed's may.
func updater(r *dialecttest.Rig) string {
	secret := r.Key(access.Key{Name: "seed", Tenant: "acme", Permissions: []string{"TNT#acme#Crms:updateTenantPermittedIpAddresses"}}).Secret
	return secret
}

func bearer(token string) string { return "Authorization: Bearer " + token }

// issued is the token that a secret is traded for.
func issued(t *testing.T, r *dialecttest.Rig, host, secret string) (token string, ttl int) {
	t.Helper()
	w := r.Ask("POST "+host+apiKeys+"/issue", "{}", "X-API-Key: "+secret)
	var got struct {
		Token string
		TTL   int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("issue: %s, %v", said(w), err)
	}
	return got.Token, got.TTL
}

// said is an answer's status and body, without the trace.
func said(w *httptest.ResponseRecorder) string {
	text := strings.ReplaceAll(strings.TrimSpace(w.Body.String()), w.Header().Get("X-Trace-Id"), "TRACE")
	return strings.TrimSpace(strconv.Itoa(w.Code) + " " + text)
}

const seedAttributes = `{
"skyRegion": "oak",
"dataBucket": "sky-prod-oak-data-eu-west-1",
"metricsQueueName": "sky-prod-activity-stream",
"tenantAuditKinesisDataStreamName": "sky-oak-prod-audits3",
"awsResources": {
"kmsKeyId": "sky-prod-oak-tenant1",
"kmsAWSKeyId": "2efc4785-51fe-4d45-9a3d-5abf2f1276ea",
"lambda": "sky-prod-oak-tenant1"
}
}`

// The requests and the answer are those of TrustX's own page. Its key is one of no
// tenant, as the permission names it.
func TestSeed(t *testing.T) {
	r := newRig(t)
	secret := r.Key(access.Key{Name: "crms", Permissions: []string{"TNT#acme#Crms:updateTenantPermittedIpAddresses"}}).Secret
	token, ttl := issued(t, r, acme, secret)
	if ttl != 900 || strings.Count(token, ".") != 2 {
		t.Errorf("token %q for %d seconds", token, ttl)
	}
	w := r.Ask("POST "+acme+ips, `{"ips": ["192.168.1.1","2001:db8::/48","192.176.1.1/24"]}`, bearer(token))
	want := "200 " + strings.TrimSuffix(seedAttributes, "\n}") + `,
"permittedIPs": {
"ips": [
"192.168.1.1",
"2001:db8::/48",
"192.176.1.1/24"
]
}
}`
	if got := said(w); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if again := r.Ask("GET "+acme+ips, "", bearer(token)); said(again) != want {
		t.Errorf("GET: %s", said(again))
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %s", got)
	}
}

func TestIssue(t *testing.T) {
	r := newRig(t)
	secret := updater(r)
	token, _ := issued(t, r, acme, secret)
	shortLived := r.Key(access.Key{Name: "short", Tenant: "acme", Expires: r.Now().Add(time.Minute)}).Secret
	if _, ttl := issued(t, r, acme, shortLived); ttl != 60 {
		t.Errorf("a key that ends in a minute gives a token for %d seconds", ttl)
	}
	const issue = "POST " + acme + apiKeys + "/issue"
	tests := []struct {
		name, line, body string
		headers          []string
		want             string
	}{
		{
			name: "no-key", line: issue, body: "{}",
			want: `401 {"code":"unauthenticated","message":"credentials are missing","traceId":"TRACE"}`,
		},
		{
			name: "bad-key", line: issue, body: "{}", headers: []string{"X-API-Key: psk_x"},
			want: `401 {"code":"unauthenticated","message":"these credentials are not good","traceId":"TRACE"}`,
		},
		{
			name: "body-says-something", line: issue, body: `{"ttl":1}`, headers: []string{"X-API-Key: " + secret},
			want: `400 {"code":"invalid","message":"$.ttl: no such key","traceId":"TRACE","errors":[{"path":"$.ttl","what":"no such key"}]}`,
		},
		{
			name: "token-for-a-token", line: issue, body: "{}", headers: []string{bearer(token)},
			want: `403 {"code":"forbidden","message":"a token is given for a key's secret; send the secret","traceId":"TRACE"}`,
		},
		{
			name: "another-tenant-s-host", line: "POST " + beta + apiKeys + "/issue", body: "{}", headers: []string{"X-API-Key: " + secret},
			want: `403 {"code":"forbidden","message":"seed may not do this at host beta.oak.trustx.com","traceId":"TRACE"}`,
		},
		{
			name: "no-tenant-s-host", line: "POST https://oak.trustx.com" + apiKeys + "/issue", body: "{}", headers: []string{"X-API-Key: " + secret},
			want: `404 {"code":"not-found","message":"host oak.trustx.com is no tenant's; call one of the form {tenant}.{region}.trustx.com","traceId":"TRACE"}`,
		},
		{
			name: "wrong-method", line: "GET " + acme + apiKeys + "/issue", headers: []string{"X-API-Key: " + secret},
			want: `405 {"code":"method-not-allowed","message":"GET is nothing to do here; there is POST","traceId":"TRACE"}`,
		},
		{
			name: "nowhere", line: "GET " + acme + "/api", headers: []string{"X-API-Key: " + secret},
			want: `404 {"code":"not-found","message":"/api: there is nothing here","traceId":"TRACE"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := r.Ask(tt.line, tt.body, tt.headers...)
			if got := said(w); got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
			if challenge := w.Header().Get("WWW-Authenticate"); (w.Code == 401) != (challenge == "Bearer") {
				t.Errorf("WWW-Authenticate %q", challenge)
			}
		})
	}
	if w := r.Ask(issue, "", "X-API-Key: "+secret); w.Code != http.StatusOK {
		t.Errorf("without a body: %s", said(w))
	}
}

func TestHosts(t *testing.T) {
	r := newRig(t)
	r.Write(control.EditTenant("Upper", func(*policy.TenantRecord) {}))
	for host, want := range map[string]int{
		"acme.oak.trustx.com":      200,
		"acme.fir.trustx.com:9450": 200,
		"ACME.OAK.TRUSTX.COM.":     200,
		"Upper.oak.trustx.com":     200,
		"upper.oak.trustx.com":     404,
		"nobody.oak.trustx.com":    404,
		"a.acme.oak.trustx.com":    404,
		"acme.oak.trustx.com.evil": 404,
		"acme_oak_trustx_com":      404,
		"a-.oak.trustx.com":        404,
		"-a.oak.trustx.com":        404,
	} {
		if w := r.Ask("GET https://"+host+ips, "", bearer(admin(r))); w.Code != want {
			t.Errorf("%s: %s, want %d", host, said(w), want)
		}
	}
}

// A refusal must not tell how a tenant is written that the caller has nothing to do
// with, and so whether there is one.
func TestHostsTellNothing(t *testing.T) {
	r := newRig(t)
	r.Write(control.EditTenant("Upper", func(*policy.TenantRecord) {}))
	secret := bearer(updater(r))
	for _, host := range []string{"BETA", "Upper", "UPPER", "NOBODY"} {
		host += ".oak.trustx.com"
		for _, line := range []string{"GET https://" + host + ips, "GET https://" + host + apiKeys, "POST https://" + host + apiKeys + "/issue"} {
			want := `403 {"code":"forbidden","message":"seed may not do this at host ` + host + `","traceId":"TRACE"}`
			if got := said(r.Ask(line, "", secret)); got != want {
				t.Errorf("%s: %s\nwant %s", line, got, want)
			}
		}
	}
}

// admin is the secret of a key that may everything.
func admin(r *dialecttest.Rig) string {
	if k := r.Keys.ByName("admin"); k != nil {
		return r.Keys.Issue(k, 0).Text
	}
	secret := r.Key(access.Key{Name: "admin", Role: access.Admin}).Secret
	return secret
}
