package agent

import (
	"cmp"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

func byName(h *host) map[string]bool {
	all := map[string]bool{}
	for at, l := range h.Table().State.Lists() {
		all[at.String()] = l.Orphaned
	}
	return all
}

// TestOrphansEnd shows every way in which a list of a file that is gone ends,
// and what is left.
func TestOrphansEnd(t *testing.T) {
	const (
		any, data, user, sys = "tenants/acme/*", "tenants/acme/dataAccess", "tenants/acme/users/1/dataAccess", "system/*"
	)
	orphaned := map[string]bool{any: true, data: true, user: true, sys: false}
	tests := []struct {
		name   string
		change func(*host)
		want   map[string]bool // true: orphaned
	}{
		{name: "not-by-themselves", change: func(h *host) { h.write("lists.d/beta.yaml", "tenant: beta\nlists: {}\n") }, want: orphaned},
		{
			name:   "the-file-is-back-with-fewer",
			change: func(h *host) { h.write("lists.d/acme.yaml", "tenant: acme\nlists: {\"*\": [10.0.0.0/8]}\n") },
			want:   map[string]bool{any: false, sys: false},
		},
		{
			name:   "another-file-declares-one",
			change: func(h *host) { h.write("lists.d/b.yaml", "tenant: acme\nlists: {dataAccess: [10.0.0.0/8]}\n") },
			want:   map[string]bool{any: true, data: false, user: true, sys: false},
		},
		{
			name:   "another-file-clears",
			change: func(h *host) { h.write("lists.d/b.yaml", "tenant: acme\nlists: {}\n") },
			want:   map[string]bool{user: true, sys: false},
		},
		{
			name:   "another-file-clears-the-user",
			change: func(h *host) { h.write("lists.d/b.yaml", "tenant: acme\nusers: {\"1\": {}}\n") },
			want:   map[string]bool{any: true, data: true, sys: false},
		},
		{
			name:   "the-system's-clear-is-not-the-tenant's",
			change: func(h *host) { h.write("lists.d/system.yaml", "system: true\nlists: {}\n") },
			want:   map[string]bool{any: true, data: true, user: true},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			h.start()
			h.reads(func(h *host) { h.remove("lists.d/acme.yaml") })
			h.until("they are orphaned", func() bool { return gocmp.Equal(orphaned, byName(h)) })
			h.reads(tt.change)
			if diff := gocmp.Diff(tt.want, byName(h)); diff != "" {
				t.Errorf("lists (-want +got):\n%s", diff)
			}
			h.restart(func(*host) {})
			if diff := gocmp.Diff(tt.want, byName(h)); diff != "" {
				t.Errorf("lists after a restart (-want +got):\n%s", diff)
			}
		})
	}
}

// TestHosts shows when a tenant keeps the hosts of a record that is not read.
func TestHosts(t *testing.T) {
	others := "tenant: acme\nlists: {dataAccess: [10.0.0.0/8]}\n"
	tests := []struct {
		name   string
		file   string // "": acme
		change func(*host)
		want   []string
	}{
		{name: "file-gone", change: func(h *host) { h.remove("lists.d/acme.yaml") }, want: []string{"acme.example.com"}},
		{
			name:   "file-without-lists-gone",
			file:   "tenant: acme\nhosts: [acme.example.com]\nlists: {}\n",
			change: func(h *host) { h.remove("lists.d/acme.yaml") },
			want:   []string{"acme.example.com"},
		},
		{
			name: "file-gone-another-has-lists",
			change: func(h *host) {
				h.remove("lists.d/acme.yaml")
				h.write("lists.d/b.yaml", others)
			},
			want: []string{"acme.example.com"},
		},
		{
			name: "file-gone-another-has-hosts",
			change: func(h *host) {
				h.remove("lists.d/acme.yaml")
				h.write("lists.d/b.yaml", "hosts: [b.example.com]\n"+others)
			},
			want: []string{"b.example.com"},
		},
		{name: "file-says-none", change: func(h *host) { h.write("lists.d/acme.yaml", others) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			h.write("lists.d/acme.yaml", cmp.Or(tt.file, acme))
			h.start()
			h.reads(tt.change)
			for range 2 {
				if got := h.Table().State.Tenants.Get("acme").Hosts; !slices.Equal(got, tt.want) {
					t.Errorf("hosts = %q, want %q", got, tt.want)
				}
				h.restart(func(*host) {})
			}
		})
	}
}

func TestDropLists(t *testing.T) {
	h := newHost(t)
	h.start()
	file := h.path("lists.d/acme.yaml")
	drop := func(owner, want string) []string {
		t.Helper()
		names, err := h.DropLists(t.Context(), owner, By{})
		if got := h.here(text(err)); got != want {
			t.Errorf("error = %q, want %q", got, want)
		}
		return names
	}
	drop(file, "drop the lists of lists.d/acme.yaml: the file is there, and says what they are")
	h.reads(func(h *host) { h.remove("lists.d/acme.yaml") })
	drop(h.path("lists.d/other.yaml"), "drop the lists of lists.d/other.yaml: it has none in force")
	h.refuses()
	want := []string{"tenants/acme/*", "tenants/acme/dataAccess", "tenants/acme/users/1/dataAccess"}
	if diff := gocmp.Diff(want, drop(file, "")); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	drop(file, "drop the lists of lists.d/acme.yaml: it has none in force")
	for range 2 {
		if diff := gocmp.Diff(map[string]bool{"system/*": false}, byName(h)); diff != "" {
			t.Errorf("lists left (-want +got):\n%s", diff)
		}
		if n := h.Table().State.Tenants.Len(); n != 0 {
			t.Errorf("%d tenants left", n)
		}
		h.restart(func(*host) {})
	}
	h.end()
	if _, err := h.DropLists(t.Context(), file, By{}); text(err) != "drop the lists of "+file+": the agent is stopping" {
		t.Errorf("of a stopped agent: %v", err)
	}
}
