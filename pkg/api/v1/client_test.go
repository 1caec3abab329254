package v1

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// recorder answers every operation with what was asked for.
type recorder struct {
	ServerInterface // the operations that no test calls
	list, query     string
	ifMatch         string
}

func (s *recorder) PutList(w http.ResponseWriter, r *http.Request, list ListName) {
	s.list, s.query, s.ifMatch = list, r.URL.RawQuery, r.Header.Get("If-Match")
	w.Header().Set("Content-Type", "application/json")
	w.Write([]byte(`{"revision":42,"enforced":true,"names":[],"lists":[],"warnings":[]}`))
}

func (s *recorder) RemoveEntries(w http.ResponseWriter, r *http.Request, list ListName) {
	s.list = list
	for _, address := range r.URL.Query()["address"] {
		s.query += "[" + address + "]"
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusConflict)
	w.Write([]byte(`{"type":"urn:postern:file-owned","title":"Conflict","status":409,"detail":"it stands in acme.yaml","instance":"/","trace":"1","file":"acme.yaml"}`))
}

// serve answers for s under Base; that the patterns do not clash is tested by it.
func serve(t *testing.T, s ServerInterface) *ClientWithResponses {
	t.Helper()
	h := HandlerWithOptions(s, StdHTTPServerOptions{BaseURL: Base})
	server := httptest.NewServer(PlainListNames(h))
	t.Cleanup(server.Close)
	c, err := NewClientWithResponses(server.URL + Base)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClient(t *testing.T) {
	s := &recorder{}
	c := serve(t, s)
	resp, err := c.PutListWithResponse(t.Context(), "tenants/acme/users/1/*",
		&PutListParams{Force: new(true), IfMatch: new(`"9f86"`)},
		ListContent{Entries: []EntrySpec{{Address: "192.0.2.0/24", Expires: time.Unix(0, 0).UTC()}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := Refusal(resp.HTTPResponse, resp.Body); err != nil || resp.JSON200 == nil || resp.JSON200.Revision != 42 {
		t.Errorf("answer %+v, error %v", resp.JSON200, err)
	}
	want := &recorder{list: "tenants/acme/users/1/*", query: "force=true", ifMatch: `"9f86"`}
	if diff := cmp.Diff(want, s, cmp.AllowUnexported(recorder{})); diff != "" {
		t.Error(diff)
	}
}

func TestClientIsRefused(t *testing.T) {
	s := &recorder{}
	resp, err := serve(t, s).RemoveEntriesWithResponse(t.Context(), "system/*",
		&RemoveEntriesParams{Address: []string{"2001:db8::/32", "192.0.2.1 - 192.0.2.9"}})
	if err != nil {
		t.Fatal(err)
	}
	want := &Problem{
		Type: ProblemTypeUrnPosternFileOwned, Title: "Conflict", Status: 409,
		Detail: "it stands in acme.yaml", Instance: "/", Trace: "1", File: "acme.yaml",
	}
	if diff := cmp.Diff(error(want), Refusal(resp.HTTPResponse, resp.Body)); diff != "" {
		t.Error(diff)
	}
	if s.list != "system/*" || s.query != "[2001:db8::/32][192.0.2.1 - 192.0.2.9]" {
		t.Errorf("asked to remove %s from %s", s.query, s.list)
	}
}

func TestRefusalByOthers(t *testing.T) {
	resp := &http.Response{StatusCode: 502, Status: "502 Bad Gateway", Header: http.Header{"Content-Type": {"text/html"}}}
	want := &Problem{Status: 502, Detail: "the agent answered 502 Bad Gateway"}
	if diff := cmp.Diff(error(want), Refusal(resp, []byte("<html>"))); diff != "" {
		t.Error(diff)
	}
}
