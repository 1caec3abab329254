package policy

import "net/netip"

// RefusalText is what a client is told whose address no list admits. Clients and
// their support staff go by it: not a byte of it may change, and none of it is
// taken from the request.
func RefusalText(client netip.Addr, tenant string) string {
	source := "none"
	if client.IsValid() {
		source = client.String()
	}
	if tenant == "" {
		tenant = "none"
	}
	return "IP not whitelisted. Found x-forwarded-for header: " + source + ", orgId: " + tenant
}
