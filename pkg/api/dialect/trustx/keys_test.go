package trustx_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/control"
)

func TestKeyLife(t *testing.T) {
	r := newRig(t)
	secret := r.Key(access.Key{Name: "boss", Role: access.TenantAdmin, Tenant: "acme"}).Secret
	boss := bearer(secret)
	w := r.Ask("POST "+acme+apiKeys, `{"name":"ci","description":"<builds>","permissions":["TNT#acme#Crms:updateTenantPermittedIpAddresses"]}`, boss)
	var made struct{ ID, Code string }
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusCreated {
		t.Fatalf("create: %s %v", said(w), err)
	}
	shown := func(code, more, end string) string {
		return fmt.Sprintf(`{"createdDtm":"2026-06-01T00:00:00Z","lastUpdatedDtm":"2026-06-01T00:00:00Z","createdBy":"boss","lastUpdatedBy":"boss",`+
			`"id":"%s","type":"PERMANENT",%s"name":"ci",%s"permissions":["TNT#acme#Crms:updateTenantPermittedIpAddresses"],"expiringDtm":%s}`,
			made.ID, code, more, end)
	}
	plain := shown("", `"description":"<builds>","status":"ACTIVE",`, "null")
	if want := "201 " + shown(`"code":"`+made.Code+`",`, `"description":"<builds>","status":"ACTIVE",`, "null"); said(w) != want {
		t.Errorf("create: %s\nwant %s", said(w), want)
	}
	if got := w.Header().Get("Location"); got != apiKeys+"/"+made.ID {
		t.Errorf("Location %s", got)
	}
	token, _ := issued(t, r, acme, made.Code)

	one := " " + acme + apiKeys + "/" + made.ID
	if got := said(r.Ask("GET"+one, "", boss)); got != "200 "+plain {
		t.Errorf("get: %s\nwant %s", got, plain)
	}
	// What was read may be sent back as it is; what is left out stays.
	if got := said(r.Ask("PUT"+one, plain, boss)); got != "200 "+plain {
		t.Errorf("put: %s\nwant %s", got, plain)
	}
	ended := shown("", `"description":"<builds>","status":"BLOCKED",`, `"2026-06-02T00:00:00Z"`)
	if got := said(r.Ask("POST"+one, `{"status":"BLOCKED","expiringDtm":"2026-06-02T00:00:00Z"}`, boss)); got != "200 "+ended {
		t.Errorf("update: %s\nwant %s", got, ended)
	}
	if got := r.Ask("GET "+acme+ips, "", bearer(token)).Code; got != http.StatusUnauthorized {
		t.Errorf("a blocked key's token: %d", got)
	}
	if got := said(r.Ask("DELETE"+one, "", boss)); got != "204" {
		t.Errorf("delete: %s", got)
	}
	for _, method := range []string{"GET", "POST", "DELETE"} {
		want := fmt.Sprintf(`404 {"code":"not-found","message":"key \"%s\": there is none","traceId":"TRACE"}`, made.ID)
		if got := said(r.Ask(method+one, "{}", boss)); got != want {
			t.Errorf("%s: %s\nwant %s", method, got, want)
		}
	}
}

func TestKeyMistakes(t *testing.T) {
	r := newRig(t)
	secret := r.Key(access.Key{Name: "boss", Role: access.TenantAdmin, Tenant: "acme", Expires: r.Now().Add(24 * time.Hour)}).Secret
	made := r.Key(access.Key{Name: "ci", Tenant: "acme", Expires: r.Now().Add(time.Hour)})
	long := strings.Repeat("x", 256)
	tests := []struct {
		name, body string
		status     int
		want       []string
	}{
		{name: "no-name", body: `{}`, status: 400, want: []string{"$.name: missing"}},
		{name: "all-at-once", body: `{"name":"","description":"` + long + `","permissions":["TNT#acme#Crms:none","TNT#beta#ArthrServer:getFromTenant"]}`, status: 403, want: []string{
			"$.expiringDtm: is after your own key's end, 2026-06-02T00:00:00Z",
		}},
		{name: "in-time", body: `{"name":"a:b","description":"` + long + `","permissions":["TNT#acme#Crms:none"],"expiringDtm":"2026-06-01T12:00:00Z"}`, status: 400, want: []string{
			`$.name: "a:b" has a colon`, "$.description: has 256 characters",
			`$.permissions[0]: "TNT#acme#Crms:none": operation "Crms:none" is unknown`,
		}},
		{name: "taken", body: `{"name":"ci","expiringDtm":"2026-06-01T12:00:00Z"}`, status: 400, want: []string{`$.name: "ci" is taken`}},
		{name: "words", body: `{"name":"x","type":"PERMANENTLY","status":"active","expiringDtm":"tomorrow"}`, status: 400, want: []string{
			`$.type: "PERMANENTLY" is not PERMANENT or SESSION`, `$.status: "active" is not ACTIVE or ARCHIVED or BLOCKED`,
			`$.expiringDtm: "tomorrow" is not an RFC 3339 time with its zone`,
		}},
		{name: "more-than-one-has", body: `{"name":"x","permissions":["12"],"expiringDtm":"2026-06-01T12:00:00Z"}`, status: 400, want: []string{
			`$.permissions[0]: 12 is for the whole system`,
		}},
	}
	for _, tt := range tests {
		for _, line := range []string{"POST " + acme + apiKeys, "PUT " + acme + apiKeys + "/" + made.ID} {
			if put := strings.HasPrefix(line, "PUT"); put && (tt.name == "no-name" || tt.name == "taken" || tt.name == "all-at-once") {
				continue
			}
			t.Run(tt.name+"-"+line[:3], func(t *testing.T) {
				w := r.Ask(line, tt.body, bearer(secret))
				var got struct{ Errors []struct{ Path, What string } }
				if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
					t.Fatal(err)
				}
				var lines []string
				for _, e := range got.Errors {
					lines = append(lines, e.Path+": "+e.What)
				}
				if diff := cmp.Diff(tt.want, lines); w.Code != tt.status || diff != "" {
					t.Errorf("%s: %s", said(w), diff)
				}
			})
		}
	}
}

func TestKeyList(t *testing.T) {
	r := newRig(t)
	secret := r.Key(access.Key{Name: "boss", Role: access.TenantAdmin, Tenant: "acme"}).Secret
	r.Key(access.Key{Name: "prod-of-beta", Tenant: "beta"})
	for i := range 12 {
		r.Pass(time.Second)
		r.Key(access.Key{Name: fmt.Sprintf("prod-%02d", i), Tenant: "acme"})
	}
	tests := []struct {
		name, query string
		want        []string // names
		numbers     string   // total, pages, number, size, first, last
	}{
		{name: "first", query: "", want: names("boss", 0, 1, 2, 3, 4, 5, 6, 7, 8), numbers: "13 2 0 10 true false"},
		{name: "second", query: "?page=1", want: names("", 9, 10, 11), numbers: "13 2 1 10 false true"},
		{name: "beyond", query: "?page=7", numbers: "13 2 7 10 false true"},
		{name: "wildcard", query: "?name=prod%25&size=2&sort=createdDtm,desc", want: names("", 11, 10), numbers: "12 6 0 2 true false"},
		{name: "one", query: "?name=prod-03", want: names("", 3), numbers: "1 1 0 10 true true"},
		{name: "none", query: "?name=nobody", numbers: "0 0 0 10 true true"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := r.Ask("GET "+acme+apiKeys+tt.query, "", bearer(secret))
			var got struct {
				TotalElements, TotalPages, Number, Size, NumberOfElements int
				First, Last, Empty                                        bool
				Content                                                   []struct{ Name string }
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, k := range got.Content {
				found = append(found, k.Name)
			}
			if diff := cmp.Diff(tt.want, found); diff != "" {
				t.Error(diff)
			}
			numbers := fmt.Sprint(got.TotalElements, got.TotalPages, got.Number, got.Size, got.First, got.Last)
			if numbers != tt.numbers || got.NumberOfElements != len(found) || got.Empty != (len(found) == 0) {
				t.Errorf("%s, want %s: %s", numbers, tt.numbers, w.Body)
			}
		})
	}
	want := `400 {"code":"invalid","message":"page: \"-1\" is not a whole number from 0 to 2147483\nsize: \"0\" is not a whole number from 1 to 1000\n` +
		`sort: \"nmae\" is not createdDtm or expiringDtm or lastUpdatedDtm or name or status or type; did you mean name?\nnam: there is no such parameter; did you mean name?","traceId":"TRACE",`
	if got := said(r.Ask("GET "+acme+apiKeys+"?page=-1&size=0&sort=nmae&nam=x", "", bearer(secret))); !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func names(first string, numbers ...int) []string {
	var all []string
	if first != "" {
		all = append(all, first)
	}
	for _, n := range numbers {
		all = append(all, fmt.Sprintf("prod-%02d", n))
	}
	return all
}

// Every operation by every kind of caller, at acme's host.
func TestCallers(t *testing.T) {
	operations := []string{"issue", "list", "create", "get", "update", "delete", "read-ips", "write-ips"}
	tests := []struct {
		name string
		want string // a status for each operation
	}{
		{"none", "401 401 401 401 401 401 401 401"},
		{"wrong-secret", "401 401 401 401 401 401 401 401"},
		{"tampered-token", "401 401 401 401 401 401 401 401"},
		{"expired-token", "401 401 401 401 401 401 401 401"},
		{"expired", "401 401 401 401 401 401 401 401"},
		{"blocked", "401 401 401 401 401 401 401 401"},
		{"archived", "401 401 401 401 401 401 401 401"},
		{"deleted", "401 401 401 401 401 401 401 401"},
		{"other-tenant-s-admin", "403 403 403 403 403 403 403 403"},
		{"other-tenant-s-updater", "403 403 403 403 403 403 403 403"},
		{"own-updater", "200 403 403 403 403 403 200 200"},
		{"own-lister", "200 200 403 403 403 403 403 403"},
		{"own-key-reader", "200 403 403 200 403 403 403 403"},
		{"own-key-creator", "200 403 201 403 403 403 403 403"},
		{"own-key-updater", "200 403 403 403 200 403 403 403"},
		{"own-key-deleter", "200 403 403 403 403 204 403 403"},
		{"own-user", "200 403 403 403 403 403 403 403"},
		{"own-reader", "200 403 403 403 403 403 200 403"},
		{"own-admin", "200 200 201 200 200 204 200 200"},
		{"own-admin-s-token", "403 200 201 200 200 204 200 200"},
		{"reader", "200 403 403 403 403 403 200 403"},
		{"operator", "200 403 403 403 403 403 200 200"},
		{"admin", "200 200 201 200 200 204 200 200"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := strings.Fields(tt.want)
			for i, op := range operations {
				r := newRig(t)
				r.Write(control.PutUser("acme", "1", ""))
				victim := r.Key(access.Key{Name: "victim", Tenant: "acme"})
				shown := shows(t, r, tt.name)
				line, body := lineOf(op, victim.ID)
				w := r.Ask(line, body, shown...)
				if got := fmt.Sprint(w.Code); got != want[i] {
					t.Errorf("%s: %s, want %s", op, said(w), want[i])
				}
				if refused := w.Code >= 400; refused != (string(r.Told()[0].Outcome) == "failure") {
					t.Errorf("%s: %s, and the journal's last line is %s", op, said(w), r.Told()[0].Line)
				}
			}
		})
	}
}

func lineOf(op, key string) (line, body string) {
	one := acme + apiKeys + "/" + key
	switch op {
	case "issue":
		return "POST " + acme + apiKeys + "/issue", "{}"
	case "list":
		return "GET " + acme + apiKeys, ""
	case "create":
		return "POST " + acme + apiKeys, `{"name":"new"}`
	case "get":
		return "GET " + one, ""
	case "update":
		return "PUT " + one, `{"description":"x"}`
	case "delete":
		return "DELETE " + one, ""
	case "read-ips":
		return "GET " + acme + ips, ""
	}
	return "POST " + acme + ips, `{"ips":["10.1.0.0/16"]}`
}
