package policy

import (
	"testing"
	"time"
)

func TestTagOfAList(t *testing.T) {
	base := func() *List { return listOf(t, "10.0.0.1", "10.0.0.2") }
	tests := []struct {
		name string
		edit func(*List)
		same bool
	}{
		{"nothing", func(*List) {}, true},
		{"owner", func(l *List) { l.Owner, l.Orphaned = "f.yaml", true }, true},
		{"position", func(l *List) { l.Pos, l.Entries[0].Pos = Pos{}, Pos{} }, true},
		{"author", func(l *List) { l.Entries[0].By = &Stamp{Author: "x"} }, true},
		{"state", func(l *List) { l.State = ListMonitor }, false},
		{"text", func(l *List) { l.Entries[0].Text = "10.0.0.1/32" }, false},
		{"action", func(l *List) { l.Entries[0].Action = Deny }, false},
		{"comment", func(l *List) { l.Entries[0].Comment = "x" }, false},
		{"enabled", func(l *List) { l.Entries[0].Disabled = true }, false},
		{"expires", func(l *List) { l.Entries[0].Expires = noon }, false},
		{"order", func(l *List) { l.Entries[0], l.Entries[1] = l.Entries[1], l.Entries[0] }, false},
		{"one-less", func(l *List) { l.Entries = l.Entries[:1] }, false},
		{"none", func(l *List) { l.Entries = nil }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := base()
			tt.edit(l)
			if got := l.Tag() == base().Tag(); got != tt.same {
				t.Errorf("same tag: %v, want %v", got, tt.same)
			}
		})
	}
	if tag := (*List)(nil).Tag(); tag != "" {
		t.Errorf("no list has tag %q", tag)
	}
	if (&List{}).Tag() == "" {
		t.Error("an empty list has no tag")
	}
}

// TestTagKeepsTimesApartFromZones: one moment is one content, however it is
// written.
func TestTagKeepsTimesApartFromZones(t *testing.T) {
	a, b := listOf(t, "?10.0.0.1"), listOf(t, "?10.0.0.1")
	b.Entries[0].Expires = b.Entries[0].Expires.In(time.FixedZone("", 7200))
	if a.Tag() != b.Tag() {
		t.Error("another zone is another tag")
	}
}

func TestTagOfARecord(t *testing.T) {
	base := TenantRecord{Name: "A", Hosts: []string{"a", "b"}, Users: map[string]string{"u": "U"}}
	tests := []struct {
		name string
		edit func(*TenantRecord)
	}{
		{"name", func(r *TenantRecord) { r.Name = "B" }},
		{"hosts", func(r *TenantRecord) { r.Hosts = []string{"ab"} }},
		{"staff-only", func(r *TenantRecord) { r.StaffOnly = true }},
		{"attributes", func(r *TenantRecord) { r.Attributes = []byte("{}") }},
		{"a-user", func(r *TenantRecord) { r.Users = nil }},
		{"a-user's-name", func(r *TenantRecord) { r.Users = map[string]string{"u": ""} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := base
			tt.edit(&r)
			if r.Tag() == base.Tag() {
				t.Error("the tag stayed")
			}
		})
	}
}

func TestTagOfAnEndpoint(t *testing.T) {
	base := Endpoint{Name: "e", Policies: listOf(t, "10.0.0.1"), Security: &Security{Headers: []HeaderRule{{Name: "x"}}}}
	tests := []struct {
		name     string
		edit     func(*Endpoint)
		whole    bool // the tag changes
		security bool // and so does its security's
	}{
		{"position", func(ep *Endpoint) { ep.Pos = Pos{"f", 1} }, false, false},
		{"ports", func(ep *Endpoint) { ep.Ports = []PortRange{AllPorts} }, true, false},
		{"policies", func(ep *Endpoint) { ep.Policies = nil }, true, true},
		{"verify", func(ep *Endpoint) { ep.Verify = VerifyOr }, true, true},
		{"headers", func(ep *Endpoint) { ep.Security = nil }, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ep := base
			tt.edit(&ep)
			if got := ep.Tag() != base.Tag(); got != tt.whole {
				t.Errorf("the tag changed: %v, want %v", got, tt.whole)
			}
			if got := ep.SecurityTag() != base.SecurityTag(); got != tt.security {
				t.Errorf("the security's tag changed: %v, want %v", got, tt.security)
			}
		})
	}
}
