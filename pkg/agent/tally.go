package agent

import "github.com/postern-io/postern/pkg/policy"

// tally counts what is in a state. It goes from one to the next by what they do
// not share.
type tally struct {
	of             *policy.State
	lists, entries int
}

func (t *tally) move(to *policy.State) {
	if t.of == nil {
		t.of = &policy.State{}
	}
	for c := range to.Tenants.Since(t.of.Tenants) {
		t.tenant(c.Before, -1)
		t.tenant(c.After, 1)
	}
	t.count(t.of.System, -1)
	t.count(to.System, 1)
	if !sameEndpoints(t.of, to) {
		t.own(t.of.Endpoints, -1)
		t.own(to.Endpoints, 1)
	}
	t.of = to
}

func (t *tally) tenant(of *policy.Tenant, times int) {
	if of == nil {
		return
	}
	t.count(of.Lists, times)
	for _, lists := range of.Users {
		t.count(lists, times)
	}
}

func (t *tally) own(eps []*policy.Endpoint, times int) {
	for _, ep := range eps {
		if ep.Policies != nil {
			t.list(ep.Policies, times)
		}
	}
}

func (t *tally) count(lists map[string]*policy.List, times int) {
	for _, l := range lists {
		t.list(l, times)
	}
}

func (t *tally) list(l *policy.List, times int) {
	t.lists += times
	t.entries += times * len(l.Entries)
}

// sameEndpoints reports whether two states share their endpoints.
func sameEndpoints(a, b *policy.State) bool {
	return len(a.Endpoints) == len(b.Endpoints) && (len(a.Endpoints) == 0 || &a.Endpoints[0] == &b.Endpoints[0])
}
