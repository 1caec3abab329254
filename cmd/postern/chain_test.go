package main

import (
	"fmt"
	"strings"
	"testing"
	"text/tabwriter"
)

// TestChain puts the system's, tenant 2's and its user 1's lists of the HDP seed
// in force, and asks from address after address: over the API, where the system's,
// the tenant's and the user's list must all admit the caller, and in packets,
// which show no user.
func TestChain(t *testing.T) {
	r := newHDP(t)
	r.fillChain()
	one := r.key(`{"name": "one", "role": "user", "tenant": "2", "user": "1"}`)
	mate := r.key(`{"name": "mate", "role": "user", "tenant": "2", "user": "3"}`)
	stranger := r.key(`{"name": "stranger", "role": "user", "tenant": "7", "user": "4"}`)
	const none = "-"
	tests := []struct {
		from                string // as the balancer writes it; "": a caller on this host
		one, mate, stranger int
		packet              string // to tenant 2
		neighbour           string // to tenant 7
	}{
		{"10.20.29.255", 403, 403, 403, "drop", "drop"},
		{"10.20.30.0", 403, 200, 200, "pass", "pass"},
		{"10.20.30.1", 403, 200, 200, "pass", "pass"},
		{"10.20.30.2", 200, 200, 200, "pass", "pass"},
		{"10.20.30.3", 403, 200, 200, "pass", "pass"},
		{"10.20.30.5", 403, 200, 200, "pass", "pass"},
		{"10.20.30.6", 403, 403, 200, "drop", "pass"},
		{"10.20.30.10", 403, 403, 200, "drop", "pass"},
		{"10.20.30.11", 403, 403, 403, "drop", "drop"},
		{"2001:db8::1", 403, 403, 403, "drop", "drop"},
		{"::ffff:10.20.30.2", 403, 403, 403, "drop", "drop"},
		{"127.0.0.1", 403, 403, 403, "drop", "drop"},         // says a header
		{"10.20.30.2, 192.0.2.1", 403, 403, 403, none, none}, // the client's own word
		{"192.0.2.1, 10.20.30.2", 200, 200, 200, none, none}, // the balancer's
		{"10.20.30.2, 127.0.0.1", 200, 200, 200, none, none}, // two balancers
		{"10.20.30.002", 403, 403, 403, none, none},          // no address
		{"", 200, 200, 200, none, none},                      // breaks the glass
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "address\tAPI: user 1\tuser of 2\tuser of 7\tpacket: to 2\tto 7")
	for _, tt := range tests {
		own := func(as apiKey) int {
			const line = "GET http://127.0.0.1:9451/api/mgmt/security/whitelist/user"
			if tt.from == "" {
				return r.curl(line, "", "--user", as.login(), "--interface", "127.0.0.2").StatusCode
			}
			return r.hdp(line, "", as, tt.from).StatusCode
		}
		packet := func(port uint16) string {
			switch {
			case tt.packet == none:
				return none
			case r.passes(tt.from, port):
				return "pass"
			}
			return "drop"
		}
		got := fmt.Sprintln(own(one), own(mate), own(stranger), packet(portManagement), packet(portNeighbour))
		if want := fmt.Sprintln(tt.one, tt.mate, tt.stranger, tt.packet, tt.neighbour); got != want {
			t.Errorf("from %q: got %swant %s", tt.from, got, want)
		}
		from := tt.from
		if from == "" {
			from = "(this host)"
		}
		fmt.Fprintln(w, from+"\t"+strings.Join(strings.Fields(got), "\t"))
	}
	w.Flush()
	t.Logf("\n%s", &table)
}

// TestChainByResource sends packets to what else tenant 2 serves, each of which
// has lists of its own, and calls the administrators' API, which has its own too.
func TestChainByResource(t *testing.T) {
	r := newHDP(t)
	r.fillChain()
	head := r.key(`{"name": "head", "role": "tenant-admin", "tenant": "2"}`)
	tests := []struct {
		from             string
		api              int
		admin, data, web bool // packets pass
	}{
		{"10.20.29.255", 403, false, false, true},
		{"10.20.30.2", 200, true, true, true},
		{"10.20.40.5", 200, true, true, true},
		{"10.20.40.6", 403, false, true, true},
		{"10.20.40.21", 403, false, true, true},
		{"10.20.50.5", 403, false, true, true},
		{"10.20.50.6", 403, false, false, true},
		{"10.20.50.21", 403, false, false, true},
		{"192.0.2.1", 403, false, false, true},
		{"2001:db8::1", 403, false, false, true},
	}
	for _, tt := range tests {
		got := fmt.Sprint(
			r.hdp("GET http://127.0.0.1:9451/api/admin/security/whitelist/tenants/2", "", head, tt.from).StatusCode,
			r.passes(tt.from, portAdmin), r.passes(tt.from, portData), r.passes(tt.from, portWeb))
		if want := fmt.Sprint(tt.api, tt.admin, tt.data, tt.web); got != want {
			t.Errorf("from %s: API, admin, data, web: got %s, want %s", tt.from, got, want)
		}
	}
}

// fillChain puts the seed's three lists in force.
func (r *rig) fillChain() {
	r.t.Helper()
	admin := r.key(`{"name": "admin", "role": "admin"}`)
	const whitelist = "http://127.0.0.1:9451/api/%s/security/whitelist/%s"
	r.hdp("POST "+fmt.Sprintf(whitelist, "admin", "system"), hdpSystem, admin, "10.20.30.5").is(200)
	r.hdp("POST "+fmt.Sprintf(whitelist, "admin", "tenants/2"), hdpTenant, admin, "10.20.30.5").is(200)
	r.hdp("POST "+fmt.Sprintf(whitelist, "mgmt", "user/1"), hdpUser, admin, "10.20.30.5").is(200)
}
