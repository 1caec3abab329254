package policy

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
)

// Same reports whether two tenants say the same, whoever read them.
func (t *Tenant) Same(o *Tenant) bool {
	return t == o || t != nil && o != nil && t.Pos == o.Pos && t.sameRecord(o) && sameLists(t.Lists, o.Lists) &&
		maps.EqualFunc(t.Users, o.Users, sameLists)
}

func (t *Tenant) sameRecord(o *Tenant) bool {
	return t.Owner == o.Owner && t.Stored == o.Stored && t.Name == o.Name && t.StaffOnly == o.StaffOnly &&
		slices.Equal(t.Hosts, o.Hosts) && bytes.Equal(t.Attributes, o.Attributes) && maps.Equal(t.Names, o.Names)
}

// Same reports whether two records say the same.
func (r *TenantRecord) Same(o *TenantRecord) bool {
	return r == o || r != nil && o != nil && (&Tenant{}).With(r).sameRecord((&Tenant{}).With(o))
}

func sameLists(a, b map[string]*List) bool { return maps.EqualFunc(a, b, (*List).Same) }

// Same reports whether two lists say the same.
func (l *List) Same(o *List) bool {
	return l == o || l != nil && o != nil && l.State == o.State && l.Owner == o.Owner && l.Orphaned == o.Orphaned &&
		l.Pos == o.Pos && slices.EqualFunc(l.Entries, o.Entries, sameEntry)
}

// sameEntry does not go by ==, under which the same moment differs when its zone
// was read twice.
func sameEntry(a, b Entry) bool {
	expires, by := a.Expires, a.By
	a.Expires, a.By = b.Expires, b.By
	return a == b && expires.Equal(b.Expires) && by.same(b.By)
}

func (s *Stamp) same(o *Stamp) bool {
	return s == o || s != nil && o != nil && s.Author == o.Author &&
		s.Created.Equal(o.Created) && s.Modified.Equal(o.Modified)
}

// Same reports whether two endpoints say the same.
func (ep *Endpoint) Same(o *Endpoint) bool {
	if ep == o || ep == nil || o == nil {
		return ep == o
	}
	a, b := *ep, *o
	a.Policies, b.Policies = nil, nil
	return ep.Policies.Same(o.Policies) && reflect.DeepEqual(a, b)
}
