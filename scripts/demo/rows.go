package main

import (
	"time"

	"github.com/postern-io/postern/pkg/testenv"
)

// row is a line of the table: what is sent, and what must come of it.
type row struct {
	sent string
	from string // the source address, of the packet or the connection
	to   string // the endpoint aimed at
	want string // arrives, dropped, or the status of the answer
	why  string // what the agent's reason must contain
	deed deed
}

// deed does what a row says and tells what was seen.
type deed interface {
	do(w *world, r row) sight
}

// sight is what was really seen, and the reason the agent gives.
type sight struct {
	seen, because string
	body          string // of an answer
}

const (
	arrives = "arrives"
	dropped = "dropped"
)

// act is a group of rows.
type act struct {
	name string
	rows []row
}

var acts = []act{
	{"lists: an address, a range, a prefix, and who is denied", lists},
	{"clouds: real ranges, dedicated and shared endpoints", clouds},
	{"packets: tags, options, fragments, tunnels", packets},
	{"requests: what only HTTP can tell", requests},
	{"writes: over the API, guarded, and taken back", writes},
	{"changes: while the agent runs, and after", changes},
}

var lists = []row{
	{"single address", "9.9.9.9", "acme-data", arrives, "allow by 9.9.9.9 in tenants/acme/*", syn(443)},
	{"the address after it", "9.9.9.10", "acme-data", dropped, "deny by not-listed in tenants/acme/*", syn(443)},
	{"range, its last address", "1.1.2.250", "acme-data", arrives, "allow by 1.1.1.0-1.1.2.250", syn(443)},
	{"range, one after its last", "1.1.2.251", "acme-data", dropped, "deny by not-listed", syn(443)},
	{"CIDR", "198.51.100.7", "acme-data", arrives, "allow by 198.51.100.0/24", syn(443)},
	{"deny inside the CIDR", "198.51.100.99", "acme-data", dropped, "deny by 198.51.100.99 in tenants/acme/*", syn(443)},
	{"denied by the endpoint's own list", "198.51.100.66", "acme-data", dropped, "deny by 198.51.100.66 in endpoints/acme-data", syn(443)},
	{"denied by the system's list", "1.1.2.99", "acme-data", dropped, "deny by 1.1.2.99 in system/*", syn(443)},
	{"expired entry", "100.64.0.9", "acme-data", dropped, "deny by not-listed", syn(443)},
	{"port within a range of ports", "9.9.9.10", "acme-data", dropped, "not-listed", syn(8005)},
	{"port of no endpoint", "9.9.9.10", "acme-data", arrives, "no-endpoint", syn(81)},
	{"IPv6 prefix", "2001:db8:10::7", "acme-six", arrives, "allow by 2001:db8:10::/48", syn(443)},
	{"IPv6, deny inside the prefix", "2001:db8:10::bad", "acme-six", dropped, "deny by 2001:db8:10::bad", syn(443)},
	{"IPv6, not listed", "2001:db8:11::7", "acme-six", dropped, "deny by not-listed", syn(443)},
	{"failsafe", "192.0.2.44", "ssh", arrives, "failsafe", syn(22)},
	{"the same port, not failsafe", "9.9.9.9", "ssh", dropped, "deny by no-list", syn(22)},
	{"monitored endpoint, not listed", "9.9.9.10", "acme-trial", arrives, "would drop", syn(443)},
}

var clouds = []row{
	{"AWS, at its own endpoint", "52.94.76.5", "aws-only", arrives, "in tenants/aws/*", syn(443)},
	{"Azure, at AWS's endpoint", "20.33.0.5", "aws-only", dropped, "deny by not-listed in tenants/aws/*", syn(443)},
	{"AWS, at the shared endpoint", "52.94.76.5", "clouds", arrives, "in tenants/aws/*", syn(443)},
	{"Azure, at the shared endpoint", "20.33.0.5", "clouds", arrives, "in tenants/azure/*", syn(443)},
	{"Google, at the shared endpoint", "34.35.1.5", "clouds", arrives, "in tenants/google/*", syn(443)},
	{"another tenant's, at the shared endpoint", "9.9.9.9", "clouds", dropped, "deny by not-listed", syn(443)},
}

var (
	vlan     = testenv.VLAN{ID: 7}
	provider = testenv.VLAN{ID: 9, Type: 0x88a8}
	// Options of padding alone, hop by hop and for the destination.
	hops, last = testenv.Extension{Header: 0, Body: []byte{1, 4}}, testenv.Extension{Header: 60, Body: []byte{1, 4}}
	// A stop on the way that is still to be made, at ::.
	detour = testenv.Extension{Header: 43, Body: []byte{0, 1, 21: 0}}
	https  = testenv.TCP{Src: 40000, Dst: 443}
)

var packets = []row{
	{"VLAN tag, listed", "9.9.9.9", "acme-data", arrives, "allow by 9.9.9.9", syn(443).tagged(vlan)},
	{"VLAN tag, not listed", "9.9.9.10", "acme-data", dropped, "not-listed", syn(443).tagged(vlan)},
	{"QinQ, listed", "9.9.9.9", "acme-data", arrives, "allow by 9.9.9.9", syn(443).tagged(provider, vlan)},
	{"QinQ, not listed", "9.9.9.10", "acme-data", dropped, "not-listed", syn(443).tagged(provider, vlan)},
	{"three tags, listed", "9.9.9.9", "acme-data", dropped, "vlan-depth", syn(443).tagged(provider, provider, vlan)},
	{"IPv4 options, listed", "9.9.9.9", "acme-data", arrives, "allow by 9.9.9.9", syn(443).options(1, 1, 1, 0)},
	{"IPv4 source route, listed", "9.9.9.9", "acme-data", dropped, "source-route", syn(443).options(131, 7, 4, 10, 0, 0, 1)},
	{"extension headers, listed", "2001:db8:10::7", "acme-six", arrives, "allow by 2001:db8:10::/48", carry(hops, last, https)},
	{"extension headers, not listed", "2001:db8:11::7", "acme-six", dropped, "not-listed", carry(hops, last, https)},
	{"IPv6 routing header, listed", "2001:db8:10::7", "acme-six", dropped, "routing-header", carry(detour, https)},
	{"first fragment, listed", "9.9.9.9", "acme-data", arrives, "allow by 9.9.9.9", syn(443).fragment(0, true)},
	{"first fragment without its ports", "9.9.9.9", "acme-data", dropped, "first-fragment", other(6, 0, 80).fragment(0, true)},
	{"later fragment, listed", "9.9.9.9", "acme-data", arrives, "fragment-listed", other(6, 1, 2, 3).fragment(512, false)},
	{"later fragment, not listed", "9.9.9.10", "acme-data", dropped, "fragment", other(6, 1, 2, 3).fragment(512, false)},
	{"TCP header cut short", "9.9.9.9", "acme-data", dropped, "truncated", other(6, 0, 80)},
	{"GRE, listed", "9.9.9.9", "acme-data", arrives, "tunnel-listed", other(47, 0, 0, 8, 0)},
	{"GRE, not listed", "9.9.9.10", "acme-data", dropped, "tunnel", other(47, 0, 0, 8, 0)},
	{"loopback's address on the wire", "127.0.0.1", "acme-data", dropped, "loopback", syn(443)},
	{"UDP, listed", "9.9.9.9", "acme-dns", arrives, "allow by 9.9.9.9", datagram(53)},
	{"UDP, not listed", "9.9.9.10", "acme-dns", dropped, "not-listed", datagram(53)},
	{"ping, where every protocol is guarded", "9.9.9.10", "acme-all", dropped, "not-listed", carry(testenv.ICMP{Type: 8})},
}

const (
	refusal = "IP not whitelisted. Found x-forwarded-for header: "
	proxy   = "192.0.2.10"
)

var requests = []row{
	{"a client of its own address", "198.51.100.20", "desk", "200", "allow by 198.51.100.0/24", get{body: "served 198.51.100.20"}},
	{"not listed: the exact 403", "203.0.113.77", "desk", "403", "deny not-listed", get{body: refusal + "203.0.113.77, orgId: acme"}},
	{"a forged X-Forwarded-For: 9.9.9.9", "203.0.113.77", "desk", "403", "deny not-listed", get{forwarded: "9.9.9.9", body: refusal + "203.0.113.77, orgId: acme"}},
	{"the same, to a program", "203.0.113.77", "desk", "403", "deny not-listed", get{
		accept: "application/json",
		body:   `{"ok":false,"error":"forbidden","message":"` + refusal + `203.0.113.77, orgId: acme"}`,
	}},
	{"through a proxy, for 9.9.9.9", proxy, "portal", "200", "allow by 9.9.9.9", get{"acme", "9.9.9.9", "", "served 9.9.9.9"}},
	{"through a proxy, for an IPv6 client", proxy, "portal", "200", "allow by 2001:db8:10::/48", get{"acme", "2001:db8:10::7", "", "served 2001:db8:10::7"}},
	{"through a proxy, for a stranger", proxy, "portal", "403", "deny not-listed", get{"acme", "9.9.9.10", "", refusal + "9.9.9.10, orgId: acme"}},
	{"a stranger who forges 9.9.9.9 in front", proxy, "portal", "403", "deny not-listed", get{"acme", "9.9.9.9, 9.9.9.10", "", refusal + "9.9.9.10, orgId: acme"}},
	{"through a proxy, without the header", proxy, "portal", "403", "deny no-address", get{"acme", "", "", refusal + "none, orgId: acme"}},
	{"a header that is no address", proxy, "portal", "403", "deny no-address", get{"acme", "9.9.9.9, <b>", "", refusal + "none, orgId: acme"}},
	{"the host of no tenant", proxy, "portal", "403", "deny unknown-tenant", get{"nobody", "9.9.9.9", "", refusal + "9.9.9.9, orgId: none"}},
	{"Google's host, from Google", proxy, "portal", "200", "in tenants/google/*", get{"google", "34.35.1.5", "", "served 34.35.1.5"}},
	{"Google's host, from AWS", proxy, "portal", "403", "deny not-listed", get{"google", "52.94.76.5", "", refusal + "52.94.76.5, orgId: google"}},
	{"past the proxy, with its header", "192.0.2.11", "portal", dropped, "not-listed", get{"acme", "9.9.9.9", "", ""}},
}

var writes = []row{
	{"a tenant without a list", "9.9.9.10", "globex", arrives, "allow by unrestricted", syn(443)},
	{"postern lists add ... 9.9.9.9", "9.9.9.10", "globex", dropped, "deny by not-listed", write("", "lists", "add", globex, "9.9.9.9")},
	{"from 9.9.9.9", "9.9.9.9", "globex", arrives, "allow by 9.9.9.9", syn(443)},
	{"the last entry removed: refused", "9.9.9.10", "globex", dropped, "deny by not-listed", write("restrict nothing", "lists", "remove", globex, "9.9.9.9")},
	{"a list of a file: refused", "9.9.9.10", "acme-data", dropped, "deny by not-listed", write("acme.yaml", "lists", "add", "tenants/acme/*", "9.9.9.10")},
	{"9.9.9.10 added --confirm 2s", "9.9.9.10", "globex", arrives, "allow by 9.9.9.10", write("", "lists", "add", globex, "9.9.9.10", "--confirm", "2s")},
	{"when nobody has confirmed it", "9.9.9.10", "globex", dropped, "deny by not-listed", unconfirmed{syn(443)}},
}

const globex = "tenants/globex/*"

var changes = []row{
	{"9.9.9.10, before acme.yaml changes", "9.9.9.10", "acme-data", dropped, "deny by not-listed", syn(443)},
	{"9.9.9.10 added, for five seconds", "9.9.9.10", "acme-data", arrives, "allow by 9.9.9.10", lend{"9.9.9.10", 5 * time.Second, syn(443)}},
	{"when they are over", "9.9.9.10", "acme-data", dropped, "deny by not-listed", lapse{syn(443)}},
	{"acme.yaml broken: listed", "9.9.9.9", "acme-data", arrives, "allow by 9.9.9.9", spoil{syn(443)}},
	{"acme.yaml broken: not listed", "9.9.9.10", "acme-data", dropped, "deny by not-listed", syn(443)},
	{"agent killed: listed", "9.9.9.9", "acme-data", arrives, "allow by 9.9.9.9", kill{syn(443)}},
	{"agent killed: not listed", "9.9.9.10", "acme-data", dropped, "deny by not-listed", kill{syn(443)}},
	{"postern detach", "9.9.9.10", "acme-data", arrives, "released edge0", detach{syn(443)}},
}
