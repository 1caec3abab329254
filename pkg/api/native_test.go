package api

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/access"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/api/v1/contract"
)

// TestOperations calls every operation of the document, and has each answer judged
// by it. It fails when one is left out.
func TestOperations(t *testing.T) {
	c := contract.Load(t)
	for _, f := range []func(*testing.T, *contract.Contract){
		agentOperations, listOperations, entryOperations, tenantOperations, endpointOperations,
		changeOperations, historyOperations, keyOperations, importOperations, streamOperations,
	} {
		f(t, c)
	}
	if left := c.Uncalled(); len(left) > 0 {
		t.Errorf("nothing calls %s", strings.Join(left, ", "))
	}
}

func agentOperations(t *testing.T, c *contract.Contract) {
	w := newWorld(t, c)
	var st Status
	w.do("GET /status").into(200, &st)
	if st.Version != "v1" || len(st.Endpoints) != 2 {
		t.Errorf("status is %+v", st)
	}
	w.do("GET /version").into(200, nil)
	w.do("POST /reload?force=true").into(200, nil)
	if diff := cmp.Diff([]string{"root files.reload true []"}, w.runtime.reloads); diff != "" {
		t.Error(diff)
	}
	for _, path := range []string{"/openapi.yaml", "/openapi.json", "/published"} {
		w.do("GET "+path, "from 10.0.0.1").into(200, nil)
	}
	w.do("GET /status", "from 10.0.0.1").problem(401)
	w.do("GET /nothing").problem(404)
}

// streamOperations call what is answered while the answer is read.
func streamOperations(t *testing.T, c *contract.Contract) {
	w := newWorld(t, c)
	url := w.listen()
	resp, err := http.Get(url + "/events")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() && lines.Text() != ": watching" {
	}
	w.feed.Publish(Event{Time: now, Where: "gate", Verdict: "deny", Reason: "not-listed"})
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: ") {
	}
	if want := `data: {"time":"2026-06-01T00:00:00Z","where":"gate","verdict":"deny","reason":"not-listed"}`; lines.Text() != want {
		t.Errorf("got %s, want %s", lines.Text(), want)
	}
	resp.Body.Close()

	// More goes there and comes back than any buffer on the way would hold.
	body := strings.Repeat("10.99.0.1\n", 300_000)
	resp, err = http.Post(url+"/lists/tenants/acme/*/import", "text/plain", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var last v1.ImportLine
	for d := json.NewDecoder(resp.Body); d.More(); {
		last = v1.ImportLine{}
		if err := d.Decode(&last); err != nil {
			t.Fatal(err)
		}
	}
	if s := last.Summary; !s.Applied || s.Lines != 300_000 || s.Same != 299_999 {
		t.Errorf("%+v", s)
	}
}

func listOperations(t *testing.T, c *contract.Contract) {
	w := newWorld(t, c)
	var page v1.ListPage
	w.do("GET /lists?tenant=acme").into(200, &page)
	if len(page.Lists) != 2 || page.Lists[0].Name != "tenants/acme/*" || page.Lists[0].Etag == "" {
		t.Errorf("acme's lists are %+v", page.Lists)
	}
	w.do("GET /lists?owner=store&scope=system").into(200, &page)
	if len(page.Lists) != 1 || page.Lists[0].Name != "system/managementAPI" {
		t.Errorf("the system's lists are %+v", page.Lists)
	}

	var whole v1.WholeList
	r := w.do("GET /lists/tenants/acme/*").into(200, &whole)
	tag := r.Header().Get("ETag")
	if tag == "" || tag != whole.Etag || whole.Entries[0].Canonical != "10.1.0.0/16" {
		t.Errorf("%s: %+v", tag, whole)
	}
	if code := w.do("GET /lists/tenants%2Facme%2F*", "If-None-Match: "+tag).Code; code != http.StatusNotModified {
		t.Errorf("unchanged: %d", code)
	}

	var done v1.Written
	r = w.do("PUT /lists/tenants/acme/*?reason=move", "If-Match: "+tag, `{"entries": ["10.1.0.0/16", {"address": "192.0.2.1", "comment": "x"}]}`).into(200, &done)
	if done.Revision != 2 || r.Header().Get("X-Postern-Revision") != "2" || r.Header().Get("ETag") != done.Lists[0].Etag ||
		done.Lists[0].Added != 1 || done.Lists[0].Removed != 1 {
		t.Errorf("%+v with ETag %s", done, r.Header().Get("ETag"))
	}
	p := w.do("PUT /lists/tenants/acme/*", "If-Match: "+tag, `{"entries": ["192.0.2.9"]}`).problem(412)
	if p.Current.Etag != done.Lists[0].Etag || !strings.Contains(string(p.Current.Value), "192.0.2.1") || !strings.Contains(string(p.Yours.Value), "192.0.2.9") {
		t.Errorf("changed: %+v", p)
	}
	w.do("PUT /lists/tenants/acme/*", "If-None-Match: *", `{"entries": []}`).problem(412)
	w.do("PATCH /lists/tenants/acme/*", `{"state": "monitor"}`).problem(409)
	w.do("PATCH /lists/tenants/acme/*?force=true", `{"state": "monitor"}`).into(200, nil)
	if p := w.do("DELETE /lists/tenants/globex/*").problem(409); p.File != "acme.yaml" || p.Type != v1.ProblemTypeUrnPosternFileOwned {
		t.Errorf("a file's list: %+v", p)
	}
	if p := w.do("DELETE /lists/system/managementAPI").problem(409); p.Type != v1.ProblemTypeUrnPosternWouldOpen || p.Lists[0] != "system/managementAPI" {
		t.Errorf("would open: %+v", p)
	}
	w.do("DELETE /lists/system/managementAPI", "X-Postern-Force: true").into(200, &done)
	if w.list("system/managementAPI") != "none" || len(done.Warnings) == 0 || done.Lists[0].Etag != "" {
		t.Errorf("deleted: %+v", done)
	}
	w.do("GET /lists/system/managementAPI").problem(404)
	w.do("GET /lists/sytem%2Fx").problem(400)

	w.do("POST /lists/tenants/acme/*/release").into(200, nil)
	var dropped v1.Dropped
	w.do("DELETE /lists?owner=gone.yaml").into(200, &dropped)
	w.do("DELETE /lists?owner=here.yaml").problem(409)
	w.do("DELETE /lists").problem(400)

	for _, format := range []string{"json", "yaml", "hcl"} {
		r := w.do("GET /lists/tenants/acme/*/export?format=" + format)
		if r.Code != 200 || !strings.Contains(r.Body.String(), "192.0.2.1") {
			t.Errorf("%s: %d %s", format, r.Code, r.Body)
		}
		if r := w.do("GET /export?format=" + format); r.Code != 200 || !strings.Contains(r.Body.String(), "198.51.100.0/24") {
			t.Errorf("%s: %d %s", format, r.Code, r.Body)
		}
	}
	w.do("GET /lists/endpoints/data/export").problem(404)
	w.do("GET /export?tenant=nobody").problem(404)
	w.do("GET /export?format=xml").problem(400)
}

func entryOperations(t *testing.T, c *contract.Contract) {
	w := newWorld(t, c)
	const entries = "/lists/tenants/acme/*/entries"
	w.do("POST "+entries, `{"entries": ["10.3.0.1", {"address": "10.3.0.2", "action": "deny"}]}`).into(200, nil)
	w.do("POST "+entries, `{"entries": []}`).problem(400)

	var page v1.EntryPage
	r := w.do("GET "+entries+"?limit=3").into(200, &page)
	link := `</api/v1` + strings.ReplaceAll(entries, "tenants/acme/*", "tenants%2Facme%2F*") + `?cursor=3&limit=3>; rel="next"`
	if len(page.Entries) != 3 || page.Next != "3" || r.Header().Get("Link") != link {
		t.Errorf("%+v, Link %s, want %s", page, r.Header().Get("Link"), link)
	}
	w.do("GET "+entries+"?limit=3&cursor=3").into(200, &page)
	if len(page.Entries) != 1 || page.Entries[0].Action != "deny" || page.Entries[0].Author != "root" {
		t.Errorf("%+v", page)
	}
	page = v1.EntryPage{}
	w.do("GET "+entries+"?address=10.1.2.3&live=true&action=allow").into(200, &page)
	if len(page.Entries) != 1 || page.Entries[0].Address != "10.1.0.0/16" {
		t.Errorf("%+v", page)
	}
	w.do("GET " + entries + "?limit=0").problem(400)
	w.do("GET " + entries + "?cursor=x").problem(400)
	w.do("GET " + entries + "?address=x").problem(400)
	w.do("GET " + entries + "?adress=x").problem(400)

	var done v1.Written
	w.do("PATCH "+entries+"?address=10.3.0.2&action=deny", `{"comment": "gone", "enabled": false, "expires": "2027-01-31T00:00:00Z"}`).into(200, &done)
	if done.Lists[0].Changed != 1 {
		t.Errorf("%+v", done)
	}
	w.do("PATCH "+entries+"?address=10.3.0.2", `{}`).problem(400)
	w.do("PATCH "+entries+"?address=10.3.0.9", `{"enabled": true}`).problem(404)

	w.do("DELETE " + entries + "?address=10.3.0.1&address=10.3.0.9").problem(404)
	w.do("DELETE "+entries+"?address=10.3.0.1/32&address=10.3.0.2").into(200, nil)
	if got := w.list("tenants/acme/*"); got != "10.1.0.0/16 10.2.0.1" {
		t.Errorf("left are %s", got)
	}
	p := w.do("POST "+entries, `{"entries": ["192.0.2.9-192.0.2.1", {"addres": "x"}], "entires": []}`).problem(400)
	want := []v1.Mistake{
		{Path: "$.entries[0]", What: "range 192.0.2.9-192.0.2.1: ends before it starts"},
		{Path: "$.entries[1].addres", What: "no such key", Remedy: "did you mean address?"},
		{Path: "$.entires", What: "no such key", Remedy: "did you mean entries?"},
	}
	if diff := cmp.Diff(want, p.Mistakes); diff != "" {
		t.Error(diff)
	}
	w.do("POST "+entries, "Content-Type: text/html", "<html>").problem(415)
	w.do("POST "+entries, `{"entries": ["`+strings.Repeat("x", 1<<20)+`"]}`).problem(413)
	var many []string
	for n := range 101 {
		text, _ := json.Marshal("10.9.0." + itoa(n))
		many = append(many, string(text))
	}
	w.do("POST "+entries, `{"entries": [`+strings.Join(many, ",")+`]}`).problem(507)
}

func tenantOperations(t *testing.T, c *contract.Contract) {
	w := newWorld(t, c)
	var page v1.TenantPage
	w.do("GET /tenants?q=ACM").into(200, &page)
	if len(page.Tenants) != 1 || page.Tenants[0].Users != 1 || page.Tenants[0].Lists != 2 {
		t.Errorf("%+v", page)
	}
	w.do("GET /tenants?limit=1").into(200, &page)
	if page.Next != "acme" {
		t.Errorf("next is %q", page.Next)
	}
	var acme v1.Tenant
	r := w.do("GET /tenants/acme").into(200, &acme)
	if string(acme.Attributes) != `{"region":"oak"}` || r.Header().Get("ETag") != acme.Etag {
		t.Errorf("%+v", acme)
	}
	w.do("GET /tenants/nobody").problem(404)
	if p := w.do("PUT /tenants/initech", `{}`).problem(409); p.Detail != "endpoints/shop: tenant initech has no list; what restricted would restrict nothing; send it again with force, if that is meant" {
		t.Error(p.Detail)
	}
	w.do("PUT /tenants/initech?force=true", "If-None-Match: *", `{"name": "Initech", "hosts": ["initech.example"], "attributes": {"z": 1, "a": 2}}`).into(200, nil)
	w.do("PUT /tenants/acme", "If-Match: "+acme.Etag, `{"selfService": false}`).into(200, nil)
	w.do("GET /tenants/acme").into(200, &acme)
	if acme.SelfService || acme.Hosts == nil {
		t.Errorf("%+v: want the hosts, and no self-service", acme)
	}
	w.do("PUT /tenants/acme", `{"name": "Acme"}`).into(200, nil)
	if w.do("GET /tenants/acme").into(200, &acme); acme.SelfService || acme.Name != "Acme" {
		t.Errorf("%+v: self-service is what it was not", acme)
	}
	w.do("PUT /tenants/a%20b", `{}`).problem(400)
	w.do("PUT /tenants/acme", `{"attributes": [1]}`).problem(400)
	w.do("PUT /tenants/globex", `{"name": "x"}`).problem(409)
	p := w.do("PUT /tenants/acme", `{"hosts": ["a.example", "a.example:443", ""]}`).problem(400)
	if len(p.Mistakes) != 2 || p.Mistakes[0].Path != "$.hosts[1]" || p.Mistakes[0].What != `host "a.example:443": not a name, a pattern or an address` {
		t.Errorf("%+v", p.Mistakes)
	}
	w.do("PUT /tenants/initech", `{"hosts": ["{Tenant}.Initech.example."]}`).into(200, nil)
	if got := w.Table().State.Tenants.Get("initech").Hosts; !slices.Equal(got, []string{"*.initech.example"}) {
		t.Errorf("the hosts are %q", got)
	}

	var users v1.UserPage
	w.do("GET /tenants/acme/users").into(200, &users)
	if len(users.Users) != 1 || users.Users[0].Name != "alice" {
		t.Errorf("%+v", users)
	}
	w.do("PUT /tenants/acme/users/2", `{"name": "bob"}`).into(200, nil)
	w.do("GET /tenants/acme/users/2").into(200, nil)
	w.do("DELETE /tenants/acme/users/2").into(200, nil)
	w.do("GET /tenants/acme/users/2").problem(404)
	w.do("DELETE /tenants/initech").into(200, nil)
}

func endpointOperations(t *testing.T, c *contract.Contract) {
	w := newWorld(t, c)
	var page struct{ Endpoints []Endpoint }
	w.do("GET /endpoints?project=default").into(200, &page)
	if len(page.Endpoints) != 2 || page.Endpoints[0].Name != "data" {
		t.Errorf("%+v", page)
	}
	w.do("GET /endpoints?service=x&limit=1").into(200, &page)
	var record struct {
		Owner string
		Spec  v1.EndpointSpec
	}
	w.do("GET /endpoints/data").into(200, &record)
	if record.Owner != "postern.yaml" || !slices.Equal(record.Spec.Ports, []string{"443"}) {
		t.Errorf("%+v", record)
	}
	w.do("GET /endpoints/nothing").problem(404)
	spec := `{"address": "203.0.113.10", "ports": ["443", "8000-8010"], "tenants": ["acme"], "resource": "dataAccess", "project": "p",
		"client": "xff", "proxies": ["192.0.2.0/24"], "http": {"listen": ":443", "upstream": "http://127.0.0.1:3000", "healthFrom": ["192.0.2.9"]}}`
	w.do("PUT /endpoints/new", spec).into(200, nil)
	record.Owner = ""
	w.do("GET /endpoints/new").into(200, &record)
	if record.Owner != "" || record.Spec.Client != "xff" || record.Spec.Address != "203.0.113.10" {
		t.Errorf("%+v", record)
	}
	again, _ := json.Marshal(record.Spec)
	var done v1.Written
	w.do("PUT /endpoints/new", string(again)).into(200, &done)
	if len(done.Names) != 0 {
		t.Errorf("what was read and written back changed %q", done.Names)
	}
	p := w.do("PUT /endpoints/new", `{"ports": ["0", "9-1"], "client": "cookie", "address": "1.1.1.1-1.1.1.3", "http": {"listen": "x", "upstream": "y"}}`).problem(400)
	if len(p.Mistakes) != 6 {
		t.Errorf("%d mistakes: %+v", len(p.Mistakes), p.Mistakes)
	}
	w.do("PUT /endpoints/data", spec).problem(409)
	w.do("DELETE /endpoints/new?force=true").into(200, nil)

	var s v1.Security
	w.do("GET /endpoints/shop/security").into(200, &s)
	security := `{"policies": [{"action": "deny", "addresses": ["198.51.100.66"]}, {"action": "allow", "addresses": ["198.51.100.0/24", "10.0.0.0/8"]}],
		"credentials": [{"username": "admin", "password": "swordfish"}], "headers": [{"name": "X-Key", "value": "k*"}],
		"sso": {"organizationId": "o", "directoryGroupIds": ["g"]}, "verificationMode": "or"}`
	w.do("PUT /endpoints/shop/security", security).into(200, nil)
	r := w.do("GET /endpoints/shop/security").into(200, &s)
	if len(s.Policies) != 2 || len(s.Policies[1].Addresses) != 2 || s.Credentials[0].Username != "admin" || strings.Contains(r.Body.String(), "argon2") {
		t.Errorf("%s", r.Body)
	}
	hash := w.Table().State.Endpoint("shop").Security.Credentials[0].Hash
	w.do("PUT /endpoints/shop/security", `{"credentials": [{"username": "admin"}]}`, "X-Postern-Force: true").into(200, nil)
	if is := w.Table().State.Endpoint("shop").Security.Credentials[0].Hash; is != hash || !strings.HasPrefix(hash, "$argon2id$") {
		t.Errorf("the hash was %s and is %s", hash, is)
	}
	w.do("PUT /endpoints/shop/security", `{"credentials": [{"username": "other"}]}`).problem(400)
	w.do("PUT /endpoints/shop/security", `{"credentials": [{"username": "x"}], "headers": [{"name": "a b", "value": ""}, {"name": "X", "value": "(", "regexMode": true}]}`).problem(400)
}

func changeOperations(t *testing.T, c *contract.Contract) {
	w := newWorld(t, c)
	var f v1.Filtering
	w.do("GET /filtering").into(200, &f)
	w.do("PUT /filtering", `{"filtering": "off"}`).problem(409)
	w.do("PUT /filtering?force=true", "If-Match: "+f.Etag, `{"filtering": "off"}`).into(200, nil)
	if !w.Table().State.FilteringOff {
		t.Error("filtering is on")
	}
	w.do("PUT /filtering", `{"filtering": "on"}`).into(200, nil)

	var x Explanation
	w.do("GET /explain?address=10.2.0.1&tenant=acme").into(200, &x)
	if x.Verdict != "allow" || x.Entry != "10.2.0.1" || x.List != "tenants/acme/*" {
		t.Errorf("%+v", x)
	}
	w.do("POST /explain", `{"address": "10.2.0.1", "tenant": "acme", "proposal": {"changes": [{"list": "tenants/acme/*", "op": "remove", "entries": ["10.2.0.1"]}]}}`).into(200, &x)
	if x.Verdict != "deny" || x.Reason != "not-listed" {
		t.Errorf("%+v", x)
	}
	p := w.do("GET /explain?address=x&user=1&resource=dataAcces").problem(400)
	if len(p.Mistakes) != 2 {
		t.Errorf("%+v", p.Mistakes)
	}
	p = w.do("GET /explain?address=10.0.0.1&resource=dataAcces").problem(400)
	if len(p.Mistakes) != 1 || p.Mistakes[0].Path != "resource" || p.Mistakes[0].Remedy != "write one of managementAPI adminAPI dataAccess webUI *" {
		t.Errorf("%+v", p)
	}
	w.do("GET /explain?address=10.0.0.1&endpoint=nothing").problem(404)

	var plan v1.Plan
	w.do("POST /plan", `{"changes": [{"list": "tenants/acme/*", "op": "replace", "entries": ["10.2.0.0/16"]}]}`).into(200, &plan)
	if len(plan.Lists) != 1 || !slices.Equal(plan.Lists[0].PrefixesRemoved, []string{"10.1.0.0/16"}) || len(plan.Endpoints) != 2 ||
		plan.Endpoints[0].ShutOut[0].Address != "10.1.0.7" {
		t.Errorf("%+v", plan)
	}
	w.do("POST /plan", `{"changes": [{"list": "tenants/acme/*", "op": "delete"}]}`).into(200, &plan)
	if plan.Refusal.Type != v1.ProblemTypeUrnPosternWouldOpen {
		t.Errorf("%+v", plan.Refusal)
	}
	w.do("POST /plan", `{}`).problem(400)

	proposal := `{"documents": [
		{"tenant": "initech", "name": "Initech", "lists": {"*": ["10.7.0.1"]}, "users": {"9": {"dataAccess": {"state": "monitor", "entries": ["10.7.0.2"]}}}},
		{"system": true, "lists": {"webUI": ["10.0.0.0/8"]}}],
		"changes": [{"list": "tenants/acme/*", "op": "add", "entries": ["10.8.0.1"]}, {"list": "tenants/acme/users/1/dataAccess", "op": "state", "state": "off"}]}`
	var done v1.Written
	w.do("POST /apply?dryRun=true&force=true", proposal).into(200, &done)
	if !done.DryRun || len(done.Plan.Lists) == 0 || w.list("system/webUI") != "none" {
		t.Errorf("%+v", done)
	}
	w.do("POST /apply?force=true", proposal).into(200, &done)
	if len(done.Lists) != 5 || w.list("tenants/initech/users/9/dataAccess") != "10.7.0.2" {
		t.Errorf("%+v", done)
	}
	p = w.do("POST /apply", `{"documents": [{"lists": {}}, {"system": true, "tenant": "x"}], "changes": [{"list": "x", "op": "add"}, {"list": "system/*", "op": "drop"}]}`).problem(400)
	if len(p.Mistakes) != 4 {
		t.Errorf("%+v", p.Mistakes)
	}
	// What is exported can be applied, and changes nothing.
	r := w.do("GET /export")
	w.put(t, w.Table().State)
	w.do("POST /apply", withoutFiles(t, r.Body.Bytes())).into(200, &done)
	if len(done.Names) != 0 {
		t.Errorf("applying what was exported changed %q", done.Names)
	}
}

// withoutFiles is an export without what files own.
func withoutFiles(t *testing.T, exported []byte) string {
	t.Helper()
	var all struct {
		Documents []json.RawMessage `json:"documents"`
	}
	if err := json.Unmarshal(exported, &all); err != nil {
		t.Fatal(err)
	}
	all.Documents = slices.DeleteFunc(all.Documents, func(d json.RawMessage) bool { return strings.Contains(string(d), "globex") })
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func historyOperations(t *testing.T, c *contract.Contract) {
	w := newWorld(t, c)
	for _, n := range []string{"1", "2", "3"} {
		w.do("POST /lists/tenants/acme/*/entries?reason=r"+n, `{"entries": ["10.3.0.`+n+`"]}`).into(200, nil)
	}
	var page v1.RevisionPage
	r := w.do("GET /revisions?limit=2&tenant=acme").into(200, &page)
	if len(page.Revisions) != 2 || page.Revisions[0].Reason != "r3" || page.Next != "3" || r.Header().Get("Link") == "" {
		t.Errorf("%+v", page)
	}
	w.do("GET /revisions?cursor=3").into(200, &page)
	if len(page.Revisions) != 1 || page.Revisions[0].Author.Name != "root" {
		t.Errorf("%+v", page)
	}
	w.do("GET /revisions?cursor=x").problem(400)
	w.do("GET /revisions/2").into(200, nil)
	w.do("GET /revisions/99").problem(404)
	w.do("GET /revisions/x").problem(400)

	var d v1.Diff
	w.do("GET /revisions/3/diff").into(200, &d)
	if d.From != 2 || d.To != 3 || len(d.Records) != 1 || len(d.Records[0].Added) != 1 || d.Records[0].Added[0].Address != "10.3.0.2" {
		t.Errorf("%+v", d)
	}
	w.do("GET /revisions/2/diff?against=current&list=tenants/acme/*").into(200, &d)
	if len(d.Records[0].Added) != 2 {
		t.Errorf("%+v", d)
	}
	w.do("GET /revisions/2/diff?against=x").problem(400)
	for target, want := range map[string]string{"1/diff": "0-1: 0", "2/diff?against=0": "0-2: 1", "4/diff?against=0": "0-4: 3", "1/diff?against=current": "1-4: 3"} {
		d = v1.Diff{}
		w.do("GET /revisions/"+target).into(200, &d)
		added := 0
		for _, r := range d.Records {
			added += len(r.Added)
		}
		if got := fmt.Sprintf("%d-%d: %d", d.From, d.To, added); got != want {
			t.Errorf("%s is %s, want %s", target, got, want)
		}
	}
	w.do("GET /revisions/0/diff").problem(400)

	w.do("POST /revisions/2/rollback?list=tenants/acme/*").into(200, nil)
	if got := w.list("tenants/acme/*"); got != "10.1.0.0/16 10.2.0.1 10.3.0.1" {
		t.Errorf("rolled back to %s", got)
	}
	w.do("POST /revisions/2/rollback?list=tenants/acme/*&tenant=acme").problem(400)

	var done v1.Written
	w.do("POST /lists/tenants/acme/*/entries?confirm=90s", `{"entries": ["10.4.0.1"]}`).into(200, &done)
	if !done.Confirm.Equal(now.Add(90 * time.Second)) {
		t.Errorf("to be confirmed until %v", done.Confirm)
	}
	confirm := "POST /revisions/" + itoa(int(done.Revision)) + "/confirm"
	w.do(confirm).problem(409)
	w.since = now.Add(time.Second)
	var rev v1.Revision
	w.do(confirm).into(200, &rev)
	if rev.Outcome != v1.OutcomeConfirmed {
		t.Errorf("%+v", rev)
	}
	for _, never := range []string{"soon", "", "0s", "-1m", "25h"} {
		w.do("POST /lists/tenants/acme/*/entries?confirm="+never, `{"entries": ["10.4.0.2"]}`).problem(400)
	}

	var events v1.AuditPage
	w.do("GET /audit?since=2026-01-01T00:00:00Z").into(200, &events)
	if len(events.Events) != 1 || events.Next != "7" {
		t.Errorf("%+v", events)
	}
}

func keyOperations(t *testing.T, c *contract.Contract) {
	w := newWorld(t, c)
	var made v1.CreatedKey
	r := w.do("POST /keys", `{"name": "ci", "role": "tenant-admin", "tenant": "acme", "expires": "2027-01-31T00:00:00Z"}`).into(201, &made)
	if made.Secret == "" || r.Header().Get("Location") != v1.Base+"/keys/"+made.ID {
		t.Errorf("%+v at %s", made, r.Header().Get("Location"))
	}
	w.do("POST /keys", `{"name": "ci", "role": "king"}`).problem(422)
	w.do("POST /keys", `{"role": "admin"}`).problem(400)
	var token v1.Token
	w.do("POST /tokens", made.Secret).into(201, &token)
	w.do("GET /tenants/acme", "Authorization: Bearer "+token.Token).into(200, nil)
	w.do("POST /tokens", "Authorization: Bearer "+token.Token).problem(403)
	w.do("POST /tokens").problem(403)

	var page v1.KeyPage
	w.do("GET /keys?tenant=acme&status=ACTIVE").into(200, &page)
	if len(page.Keys) != 1 || page.Keys[0].ID != made.ID {
		t.Errorf("%+v", page)
	}
	w.do("POST /keys", `{"name": "zz", "role": "reader"}`).into(201, nil)
	w.do("GET /keys?limit=1").into(200, &page)
	if page.Next != "1" {
		t.Errorf("%+v", page)
	}
	w.do("GET /keys?limit=1&cursor=1").into(200, &page)
	if page.Keys[0].Name != "zz" {
		t.Errorf("%+v", page)
	}
	w.do("GET /keys/"+made.ID).into(200, nil)
	w.do("PATCH /keys/"+made.ID, `{}`).problem(400)
	var k v1.Key
	w.do("PATCH /keys/"+made.ID, `{"description": "of the pipeline", "expires": null, "status": "BLOCKED"}`).into(200, &k)
	if k.Description == "" || !k.Expires.IsZero() || k.Status != v1.KeyStatusBLOCKED {
		t.Errorf("%+v", k)
	}
	w.do("GET /tenants/acme", made.Secret).problem(401)
	w.do("DELETE /keys/"+made.ID).into(204, nil)
	w.do("GET /keys/" + made.ID).problem(404)
}

func importOperations(t *testing.T, c *contract.Contract) {
	w := newWorld(t, c)
	const to = "/lists/tenants/acme/*/import"
	told, summary := w.imported("POST "+to, "Content-Type: text/plain", "10.5.0.1 # one\nx\n10.2.0.1\n")
	want := []v1.ImportLine{
		{Line: 1, Verdict: v1.ImportLineVerdictAdded, Address: "10.5.0.1"},
		{Line: 2, Verdict: v1.ImportLineVerdictBad, Address: "x", What: "address x: not an IP address"},
		{Line: 3, Verdict: v1.ImportLineVerdictSame, Address: "10.2.0.1"},
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(v1.ImportSummary{Lines: 3, Added: 1, Same: 1, Bad: 1}, summary); diff != "" {
		t.Error(diff)
	}
	if got := w.list("tenants/acme/*"); got != "10.1.0.0/16 10.2.0.1" {
		t.Errorf("all or nothing: %s", got)
	}
	_, summary = w.imported("POST "+to+"?mode=skip-bad", "Content-Type: text/csv", "address,comment\n10.5.0.1,one\nx,\n10.5.0.1/32,again\n")
	if !summary.Applied || summary.Added != 1 || summary.Same != 1 || summary.Bad != 1 || summary.Revision != 2 || summary.Etag == "" {
		t.Errorf("%+v", summary)
	}
	_, summary = w.imported("POST "+to+"?replace=true", `["10.6.0.1", {"address": "10.1.0.0/16", "comment": "back"}]`)
	if got := w.list("tenants/acme/*"); !summary.Applied || got != "10.6.0.1 10.1.0.0/16" || summary.Removed != 2 || summary.Revision != 3 {
		t.Errorf("%+v: %s", summary, got)
	}
	_, summary = w.imported("POST "+to, `["10.6.0.1"]`)
	if !summary.Applied || summary.Same != 1 || summary.Revision != 0 {
		t.Errorf("%+v", summary)
	}
	_, summary = w.imported("POST "+to+"?dryRun=true&replace=true", `["10.6.0.1"]`)
	if summary.Applied || summary.Removed != 1 || summary.Revision != 0 {
		t.Errorf("%+v", summary)
	}
	_, summary = w.imported("POST "+to+"?dryRun=true", `["10.6.0.9"]`)
	if summary.Applied || summary.Added != 1 || strings.Contains(w.list("tenants/acme/*"), "10.6.0.9") {
		t.Errorf("%+v", summary)
	}
	// Refused by the guard, by the limit, and by a body that ends early.
	_, summary = w.imported("POST "+to+"?replace=true", `[]`)
	if summary.Applied || summary.Refusal.Type != v1.ProblemTypeUrnPosternWouldOpen {
		t.Errorf("%+v", summary)
	}
	var many strings.Builder
	for n := range 200 {
		many.WriteString("10.7.0." + itoa(n) + "\n")
	}
	_, summary = w.imported("POST "+to, "Content-Type: text/plain", many.String())
	if summary.Applied || summary.Added != 200 || summary.Refusal.Type != v1.ProblemTypeUrnPosternFull {
		t.Errorf("%+v", summary)
	}
	_, summary = w.imported("POST "+to, `["10.6.0.9"`)
	if summary.Applied || summary.Refusal.Status != 400 {
		t.Errorf("%+v", summary)
	}
	w.do("POST "+to, "Content-Type: text/html", "<html>").problem(415)
	w.do("POST /lists/tenants/nobody/*/import", `["10.0.0.1"]`).problem(404)
	_, summary = w.imported("POST /lists/tenants/acme/webUI/import", `["10.0.0.1"]`)
	if !summary.Applied || w.list("tenants/acme/webUI") != "10.0.0.1" {
		t.Errorf("%+v", summary)
	}
}

// imported reads what came of an import.
func (w *world) imported(line string, rest ...string) ([]v1.ImportLine, v1.ImportSummary) {
	w.Helper()
	r := w.do(line, rest...)
	if r.Code != 200 || r.Header().Get("Content-Type") != "application/x-ndjson" {
		w.Fatalf("%d %s", r.Code, r.Body)
	}
	var told []v1.ImportLine
	for d := json.NewDecoder(r.Body); d.More(); {
		var l v1.ImportLine
		if err := d.Decode(&l); err != nil {
			w.Fatal(err)
		}
		told = append(told, l)
	}
	last := len(told) - 1
	return told[:last], told[last].Summary
}

// TestNothingHere asks for what the document does not have.
func TestNothingHere(t *testing.T) {
	w := newWorld(t, nil)
	for _, tt := range []struct {
		line, allow, detail string
		status              int
	}{
		{"PATCH /lists", "DELETE, GET", "PATCH is nothing to do here; there is DELETE, GET", 405},
		{"DELETE /lists/tenants/acme/*/import", "POST", "DELETE is nothing to do here; there is POST", 405},
		{"OPTIONS /status", "GET", "OPTIONS is nothing to do here; there is GET", 405},
		{"GET /nowhere", "", "GET /api/v1/nowhere: there is nothing here", 404},
		{"GET //status", "", "/api/v1//status: there is nothing here; write /api/v1/status", 404},
		{"GET /lists/../status", "", "/api/v1/lists/../status: there is nothing here; write /api/v1/status", 404},
		{"GET /lists/tenants//*", "", "/api/v1/lists/tenants//*: there is nothing here; write /api/v1/lists/tenants/*", 404},
		{"GET /status/", "", "GET /api/v1/status/: there is nothing here", 404},
	} {
		r := w.do(tt.line)
		if p := r.problem(tt.status); p.Detail != tt.detail || r.Header().Get("Allow") != tt.allow {
			t.Errorf("%s: %s, Allow %q", tt.line, p.Detail, r.Header().Get("Allow"))
		}
	}
}

// TestTextIsBounded holds what the document says of what people write.
func TestTextIsBounded(t *testing.T) {
	w := newWorld(t, nil)
	const list = "/lists/tenants/acme/*"
	for _, tt := range []struct{ line, body, path string }{
		{"POST " + list + "/entries?reason=" + strings.Repeat("r", 1025), `{"entries": ["10.0.0.1"]}`, "reason"},
		{"POST " + list + "/entries?reason=%1b%5b2J", `{"entries": ["10.0.0.1"]}`, "reason"},
		{"PATCH " + list + "/entries?address=10.2.0.1", `{"comment": "a\nb"}`, "$.comment"},
		{"PUT " + list, `{"entries": [{"address": "10.0.0.1", "comment": "` + strings.Repeat("x", 1025) + `"}]}`, "$.entries[0].comment"},
		{"PUT /tenants/acme", `{"name": "` + strings.Repeat("n", 256) + `"}`, "$.name"},
		{"PUT /tenants/acme/users/1", `{"name": "\u0000"}`, "$.name"},
		{"POST /apply", `{"documents": [{"tenant": "acme", "name": "\u0007"}]}`, "$.documents[0].name"},
	} {
		if p := w.do(tt.line, tt.body).problem(400); len(p.Mistakes) != 1 || p.Mistakes[0].Path != tt.path {
			t.Errorf("%.60s: %+v, want a mistake at %s", tt.line, p.Mistakes, tt.path)
		}
	}
}

// TestIfNoneMatch: a condition that would not be kept is refused, not passed over.
func TestIfNoneMatch(t *testing.T) {
	w := newWorld(t, contract.Load(t))
	const list, entries = "/lists/tenants/acme/webUI", `{"entries": ["10.1.0.0/16"]}`
	w.do("PUT "+list, "If-None-Match: *", entries).into(200, nil)
	w.do("PUT "+list, "If-None-Match: *", entries).problem(412)
	tag := w.do("GET "+list).into(200, nil).Header().Get("ETag")
	w.do("GET "+list, "If-None-Match: "+tag).into(304, nil)
	for line, none := range map[string]string{
		"PUT " + list: tag, "POST " + list + "/entries": tag, "DELETE " + list: "*", "PUT /endpoints/shop/security": "*",
	} {
		p := w.do(line, "If-None-Match: "+none, entries).problem(400)
		want := []v1.Mistake{{Path: "If-None-Match", What: none + " means nothing here", Remedy: "send the ETag that must still stand as If-Match"}}
		if diff := cmp.Diff(want, p.Mistakes); diff != "" {
			t.Errorf("%s: %s", line, diff)
		}
	}
}

// TestTenantsAreApart has a tenant's admin ask for what is another's.
func TestTenantsAreApart(t *testing.T) {
	w := newWorld(t, contract.Load(t))
	key := w.key(access.Key{Name: "acme-admin", Role: access.TenantAdmin, Tenant: "acme"})
	from := "from 10.1.0.1"
	for _, line := range []string{
		"GET /lists/tenants/globex/*", "GET /lists/tenants/nobody/*", "GET /lists/system/managementAPI", "GET /tenants/globex", "GET /tenants/nobody",
		"GET /status", "GET /export?tenant=globex", "POST /reload", "GET /lists/tenants/globex/*/export", "DELETE /lists?owner=x",
	} {
		if p := w.do(line, key, from).problem(403); p.Type != v1.ProblemTypeUrnPosternForbidden {
			t.Errorf("%s: %+v", line, p)
		}
	}
	var page v1.ListPage
	w.do("GET /lists", key, from).into(200, &page)
	for _, l := range page.Lists {
		if l.Tenant != "acme" {
			t.Errorf("acme's admin sees %s", l.Name)
		}
	}
	if r := w.do("GET /export?format=yaml", key, from); strings.Contains(r.Body.String(), "globex") || !strings.Contains(r.Body.String(), "acme") {
		t.Errorf("exported is %s", r.Body)
	}
	w.do("PUT /tenants/acme", `{"hosts": ["globex.example"]}`, key, from).problem(403)
	w.do("PUT /lists/tenants/acme/*", `{"entries": ["10.1.0.0/16"]}`, key, from).into(200, nil)
	if p := w.do("PUT /lists/tenants/acme/managementAPI", `{"entries": ["10.9.9.9"]}`, key, from).problem(409); p.Address != "10.1.0.1" || p.Type != v1.ProblemTypeUrnPosternLocksOut {
		t.Errorf("%+v", p)
	}
}

func TestInternalFailure(t *testing.T) {
	w := newWorld(t, nil)
	w.runtime.err = errors.New("the disk is on fire")
	p := w.do("GET /status").problem(500)
	if !strings.Contains(p.Detail, p.Trace) || !strings.Contains(w.log.String(), p.Trace) || strings.Contains(p.Detail, "fire") || !strings.Contains(w.log.String(), "fire") {
		t.Errorf("%+v; the log: %s", p, w.log.String())
	}
}

func itoa(n int) string { text, _ := json.Marshal(n); return string(text) }
