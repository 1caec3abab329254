package api

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/access"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/api/v1/contract"
	"github.com/postern-io/postern/pkg/policy"
)

// TestSecurityShowsWhatIsLive: an entry that admits nobody is no rule, and an address
// that is written is one.
func TestSecurityShowsWhatIsLive(t *testing.T) {
	w := newWorld(t, contract.Load(t))
	w.do("PUT /lists/endpoints/shop", `{"entries": [{"address": "192.0.2.1", "enabled": false, "comment": "off"}, {"address": "192.0.2.2", "comment": "stays"},
		{"address": "192.0.2.3", "expires": "2020-01-01T00:00:00Z"}]}`).into(200, nil)
	security := func() (s v1.Security) {
		w.do("GET /endpoints/shop/security").into(200, &s)
		return s
	}
	if s := security(); len(s.Policies) != 1 || !slices.Equal(s.Policies[0].Addresses, []string{"192.0.2.2"}) {
		t.Errorf("rules are %+v", s.Policies)
	}
	w.do("PUT /endpoints/shop/security", `{"policies": [{"action": "allow", "addresses": ["192.0.2.1", "192.0.2.2"]}]}`).into(200, nil)
	if s := security(); len(s.Policies) != 1 || !slices.Equal(s.Policies[0].Addresses, []string{"192.0.2.1", "192.0.2.2"}) {
		t.Errorf("rules are %+v", s.Policies)
	}
	var told []string
	for _, e := range w.Table().State.Endpoint("shop").Policies.Entries {
		told = append(told, fmt.Sprint(e.Text, " ", e.Comment, " ", e.Live(now)))
	}
	if diff := cmp.Diff([]string{"192.0.2.1 off false", "192.0.2.1  true", "192.0.2.3  false", "192.0.2.2 stays true"}, told); diff != "" {
		t.Error(diff)
	}
}

// TestHeaderValuesAreNotTold: who knows the value may pass.
func TestHeaderValuesAreNotTold(t *testing.T) {
	w := newWorld(t, contract.Load(t))
	const path = "/endpoints/shop/security"
	w.do("PUT "+path, `{"headers": [{"name": "X-Key", "value": "swordfish"}, {"name": "X-Key", "value": "sword.*", "regexMode": true}]}`).into(200, nil)
	key := w.key(access.Key{Name: "reader", Role: access.Reader})
	for _, line := range []string{"GET " + path, "GET /revisions/2/diff", "GET /endpoints/shop"} {
		if r := w.do(line, key, "from 10.0.0.1").into(200, nil); strings.Contains(r.Body.String(), "sword") {
			t.Errorf("%s: %s", line, r.Body)
		}
	}
	w.do("PUT "+path, `{"headers": [{"name": "X-Key", "regexMode": true}, {"name": "x-key"}]}`).into(200, nil)
	want := []policy.HeaderRule{{Name: "X-Key", Value: "sword.*", Regex: true}, {Name: "x-key", Value: "swordfish"}}
	if diff := cmp.Diff(want, w.Table().State.Endpoint("shop").Security.Headers); diff != "" {
		t.Error(diff)
	}
	if p := w.do("PUT "+path, `{"headers": [{"name": "X-Other"}]}`).problem(400); len(p.Mistakes) != 1 || p.Mistakes[0].Path != "$.headers[0].value" {
		t.Errorf("%+v", p)
	}
	long := `{"headers": [{"name": "X-Key", "value": "` + strings.Repeat("v", 4097) + `"}]}`
	if p := w.do("PUT "+path, long).problem(400); len(p.Mistakes) != 1 || p.Mistakes[0].Path != "$.headers[0].value" {
		t.Errorf("%+v", p)
	}
}
