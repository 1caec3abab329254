package datapath

import "fmt"

// Reason is what the program found a packet to be.
type Reason uint32

// String is the reason's stable name, as metrics and the command line print it.
func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r].name
	}
	return fmt.Sprintf("reason-%d", uint32(r))
}

// Help says in a sentence what the reason means.
func (r Reason) Help() string {
	if int(r) < len(reasons) {
		return reasons[r].help
	}
	return "Unknown to this version."
}

// Drop reports whether packets of this reason are dropped when enforced.
func (r Reason) Drop() bool { return r >= Reason(bpfReasonMPLS_DROPPED) }

// ByList reports whether it was a list that did not admit the source.
func (r Reason) ByList() bool {
	return r == Reason(bpfReasonNOT_LISTED) || r == Reason(bpfReasonNOT_LISTED_TENANT)
}

// Reasons are all of them, in the program's order: those that pass, then those
// that drop.
func Reasons() []Reason {
	all := make([]Reason, 0, len(reasons)-1)
	for r := Reason(bpfReasonNO_REASON) + 1; int(r) < len(reasons); r++ {
		all = append(all, r)
	}
	return all
}

var reasons = [bpfReasonREASONS]struct{ name, help string }{
	bpfReasonNO_REASON:           {"none", "Not settled."},
	bpfReasonAGENT_OFF:           {"agent-off", "The agent's mode is off."},
	bpfReasonARP:                 {"arp", "ARP."},
	bpfReasonLLDP:                {"lldp", "LLDP."},
	bpfReasonEAPOL:               {"eapol", "802.1X."},
	bpfReasonNOT_IP:              {"not-ip", "Another protocol than IP on the wire."},
	bpfReasonMPLS:                {"mpls", "MPLS, which is let through."},
	bpfReasonNO_ENDPOINT:         {"no-endpoint", "To no endpoint."},
	bpfReasonNO_ANY_ENDPOINT:     {"no-any-endpoint", "A protocol without ports, to no endpoint of every protocol."},
	bpfReasonENDPOINT_OFF:        {"endpoint-off", "To an endpoint whose mode is off."},
	bpfReasonNEIGHBOUR_DISCOVERY: {"neighbour-discovery", "IPv6 neighbour discovery of the link (hop limit 255)."},
	bpfReasonMULTICAST_LISTENER:  {"multicast-listener", "IPv6 multicast listener discovery (hop limit 1)."},
	bpfReasonIGMP:                {"igmp", "IGMP (TTL 1)."},
	bpfReasonLINK_CONTROL:        {"link-control", "A control protocol to the link-local multicast block."},
	bpfReasonDHCP:                {"dhcp", "A DHCP server's answer to a client's port."},
	bpfReasonPATH_MTU:            {"path-mtu", "ICMP packet too big, to a guarded address."},
	bpfReasonFAILSAFE:            {"failsafe", "Matches a failsafe."},
	bpfReasonFRAGMENT_LISTED:     {"fragment-listed", "A later fragment from a source that one of the address's endpoints admits."},
	bpfReasonTUNNEL_LISTED:       {"tunnel-listed", "A tunnelled packet from a source that may send such."},
	bpfReasonLISTED:              {"listed", "The source is admitted."},

	bpfReasonMPLS_DROPPED:   {"mpls-dropped", "MPLS, which could hide anything."},
	bpfReasonVLAN_DEPTH:     {"vlan-depth", "More than two VLAN tags."},
	bpfReasonHEADER_CUT:     {"header-cut", "The link or IP header is cut short or of another version, so there is no destination."},
	bpfReasonLOOPBACK:       {"loopback", "A loopback address on the wire."},
	bpfReasonSOURCE_ROUTE:   {"source-route", "IPv4 source routing."},
	bpfReasonROUTING_HEADER: {"routing-header", "An IPv6 routing header with segments left."},
	bpfReasonHOME_ADDRESS:   {"home-address", "The IPv6 home address option, which replaces the source."},
	bpfReasonFIRST_FRAGMENT: {"first-fragment", "A first fragment without its transport header."},
	bpfReasonTRUNCATED:      {"truncated", "Cut short before its ports."},
	bpfReasonMALFORMED:      {"malformed", "IP lengths that contradict each other."},
	bpfReasonOPTIONS:        {"ip-options", "IPv4 options that cannot be walked."},
	bpfReasonEXTENSION_HEADERS: {
		"extension-headers",
		"IPv6 extension headers that cannot be walked: out of order, broken or too many.",
	},
	bpfReasonOVERLAP:           {"overlap", "A fragment that would write over a TCP header."},
	bpfReasonFRAGMENT:          {"fragment", "A later fragment from a source that none of the address's endpoints admits."},
	bpfReasonTUNNEL:            {"tunnel", "A tunnelled packet from a source that may not send such."},
	bpfReasonPATH_MTU_LIMIT:    {"path-mtu-limit", "More ICMP packet too big than the limit."},
	bpfReasonNOT_LISTED:        {"not-listed", "The system's or the endpoint's own list does not admit the source, or it is no declared proxy."},
	bpfReasonNOT_LISTED_TENANT: {"not-listed-tenant", "No tenant of the endpoint admits the source."},
	bpfReasonBROKEN:            {"broken", "The program met an index out of range; report it."},
}
