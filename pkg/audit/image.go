package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// Images writes down what a change found and what it left, by the names of the
// records. Of a list only the entries are written that are not in both: a line
// must not be as long as the list. Of a password nothing is written, of its hash
// neither, nor the value of a header that opens a door.
func Images(before, after policy.Image) (was, is json.RawMessage, err error) {
	if before.Empty() && after.Empty() {
		return nil, nil, nil
	}
	b, a := image{}, image{}
	for at := range keys(before.Lists, after.Lists) {
		b[at.String()], a[at.String()] = lists(before.Lists[at], after.Lists[at])
	}
	for id := range keys(before.Tenants, after.Tenants) {
		b["tenants/"+id], a["tenants/"+id] = before.Tenants[id], after.Tenants[id]
	}
	for name := range keys(before.Endpoints, after.Endpoints) {
		b["endpoints/"+name], a["endpoints/"+name] = endpoint(before.Endpoints[name]), endpoint(after.Endpoints[name])
	}
	if before.Filtering != nil && after.Filtering != nil {
		b["filtering"], a["filtering"] = onOff(*before.Filtering), onOff(*after.Filtering)
	}
	if was, err = json.Marshal(b); err != nil {
		return nil, nil, fmt.Errorf("write what was changed: %w", err)
	}
	if is, err = json.Marshal(a); err != nil {
		return nil, nil, fmt.Errorf("write what was changed: %w", err)
	}
	return was, is, nil
}

// image is records by name; nil where there is none.
type image map[string]any

func keys[K comparable, V any](a, b map[K]V) map[K]bool {
	all := make(map[K]bool, len(a))
	for key := range a {
		all[key] = true
	}
	for key := range b {
		all[key] = true
	}
	return all
}

// list is a list's state, the entries the other has not, and how many both have.
type list struct {
	State   string  `json:"state"`
	Entries []entry `json:"entries"`
	Same    int     `json:"same,omitempty"`
}

type entry struct {
	Address  string    `json:"address"`
	Action   string    `json:"action,omitempty"`
	Comment  string    `json:"comment,omitempty"`
	Disabled bool      `json:"disabled,omitempty"`
	Expires  time.Time `json:"expires,omitzero"`
}

func lists(before, after *policy.List) (was, is any) {
	counts := map[entry]int{}
	for _, e := range entriesOf(after) {
		counts[e]++
	}
	var gone []entry
	for _, e := range entriesOf(before) {
		if counts[e] > 0 {
			counts[e]--
		} else {
			gone = append(gone, e)
		}
	}
	var come []entry
	for _, e := range entriesOf(after) {
		if counts[e] > 0 {
			counts[e]--
			come = append(come, e)
		}
	}
	return shown(before, gone), shown(after, come)
}

func shown(l *policy.List, differing []entry) any {
	if l == nil {
		return nil
	}
	return &list{l.State.String(), append([]entry{}, differing...), len(l.Entries) - len(differing)}
}

func entriesOf(l *policy.List) []entry {
	if l == nil {
		return nil
	}
	all := make([]entry, len(l.Entries))
	for i, e := range l.Entries {
		all[i] = entry{e.Text, "", e.Comment, e.Disabled, e.Expires.UTC()}
		if e.Expires.IsZero() {
			all[i].Expires = time.Time{}
		}
		if e.Action == policy.Deny {
			all[i].Action = e.Action.String()
		}
	}
	return all
}

// security is what an endpoint asks, without a hash.
type security struct {
	Ports       []string    `json:"ports"`
	Policies    *list       `json:"policies,omitempty"`
	Verify      string      `json:"verificationMode"`
	Credentials []string    `json:"credentials,omitempty"` // user names
	Headers     []string    `json:"headers,omitempty"`     // names
	SSO         *policy.SSO `json:"sso,omitempty"`
}

func endpoint(ep *policy.Endpoint) any {
	if ep == nil {
		return nil
	}
	s := security{Ports: []string{}, Verify: ep.Verify.String()}
	for _, p := range ep.Ports {
		s.Ports = append(s.Ports, p.String())
	}
	if l := ep.Policies; l != nil {
		s.Policies = &list{l.State.String(), entriesOf(l), 0}
	}
	if asks := ep.Security; asks != nil {
		for _, c := range asks.Credentials {
			s.Credentials = append(s.Credentials, c.Username)
		}
		for _, h := range asks.Headers {
			s.Headers = append(s.Headers, h.Name)
		}
		s.SSO = asks.SSO
	}
	return s
}

func onOff(off bool) string {
	if off {
		return "off"
	}
	return "on"
}

// TenantsOf are the tenants whose records have these names.
func TenantsOf(names []string) []string {
	tenants := map[string]bool{}
	for _, name := range names {
		if rest, ok := strings.CutPrefix(name, "tenants/"); ok {
			id, _, _ := strings.Cut(rest, "/")
			tenants[id] = true
		}
	}
	return slices.Sorted(maps.Keys(tenants))
}
