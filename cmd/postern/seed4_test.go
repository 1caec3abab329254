package main

import (
	"fmt"
	"testing"
)

// What "Using the IP Address Whitelist API" sends.
const (
	hdpSystem = `{
"managementAPI": [{"startAddress": "10.20.30.0", "endAddress": "10.20.30.10"}],
"adminAPI": [{"startAddress": "10.20.30.0", "endAddress": "10.20.40.20"}],
"dataAccess": [{"startAddress": "10.20.30.0", "endAddress": "10.20.50.20"}],
"webUI": null
}`
	hdpTenant = `{
"managementAPI": [{"startAddress": "10.20.30.0", "endAddress": "10.20.30.5"}],
"adminAPI": [{"startAddress": "10.20.30.0", "endAddress": "10.20.40.5"}],
"dataAccess": [{"startAddress": "10.20.30.0", "endAddress": "10.20.50.5"}],
"webUI": null
}`
	hdpUser = `{
"managementAPI": [{"startAddress": "10.20.30.2"}],
"adminAPI": [{"startAddress": "10.20.30.2"}],
"dataAccess": [{"startAddress": "10.20.30.2"}]
}`
)

// The ports of tenant 2's resources, and of tenant 7's management.
const (
	portManagement, portAdmin, portData, portWeb uint16 = 8443, 8444, 8445, 8446
	portNeighbour                                uint16 = 9443
)

// newHDP is a host that serves tenants 2 and 7, and says who its callers are as a
// balancer on it does.
func newHDP(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	r.offer(`
  client: xff
  proxies: [127.0.0.1]
  dialects: [{name: hdp, listen: "http://127.0.0.1:9451"}]
`, fmt.Sprintf(`
  - {name: management, address: everything, ports: [%d], tenants: ["2"], resource: managementAPI}
  - {name: admin, address: everything, ports: [%d], tenants: ["2"], resource: adminAPI}
  - {name: data, address: everything, ports: [%d], tenants: ["2"], resource: dataAccess}
  - {name: web, address: everything, ports: [%d], tenants: ["2"], resource: webUI}
  - {name: neighbour, address: everything, ports: [%d], tenants: ["7"], resource: managementAPI}
`, portManagement, portAdmin, portData, portWeb, portNeighbour))
	r.start("ok")
	for _, user := range []string{"/tenants/2/users/1", "/tenants/2/users/3", "/tenants/7/users/4"} {
		r.root("PUT "+user, `{}`).is(200)
	}
	return r
}

// hdp asks as a key does, with Basic, from an address that the balancer names.
func (r *rig) hdp(line, body string, as apiKey, from string, args ...string) *reply {
	r.t.Helper()
	return r.curl(line, body, append(args, "--user", as.login(), "--header", "X-Forwarded-For: "+from)...)
}

// TestSeedHDP plays "Using the IP Address Whitelist API": a system's, a tenant's
// and a user's lists.
func TestSeedHDP(t *testing.T) {
	r := newHDP(t)
	admin := r.key(`{"name": "admin", "role": "admin"}`)
	const (
		system = "http://127.0.0.1:9451/api/admin/security/whitelist/system"
		tenant = "http://127.0.0.1:9451/api/admin/security/whitelist/tenants/2"
		user   = "http://127.0.0.1:9451/api/mgmt/security/whitelist/user/1"
	)
	ask := func(line, body string) *reply { return r.hdp(line, body, admin, "10.20.30.5") }

	ask("GET "+system, "").is(200).equals(`{
"managementAPI": [],
"adminAPI": [],
"dataAccess": [],
"webUI": []
}`)
	r.admits(portManagement, "10.20.30.5", "192.0.2.1")
	ask("POST "+system, hdpSystem).is(200)
	ask("GET "+system, "").is(200).equals(`{
"managementAPI": [{"startAddress": "10.20.30.0", "endAddress": "10.20.30.10"}],
"adminAPI": [{"startAddress": "10.20.30.0", "endAddress": "10.20.40.20"}],
"dataAccess": [{"startAddress": "10.20.30.0", "endAddress": "10.20.50.20"}],
"webUI": []
}`)
	r.admits(portManagement, "10.20.30.0", "10.20.30.5", "10.20.30.10")
	r.refuses(portManagement, "10.20.29.255", "10.20.30.11", "192.0.2.1", "2001:db8::1")

	ask("POST "+tenant, hdpTenant).is(200)
	ask("GET "+tenant, "").is(200).equals(`{
"managementAPI": [{"startAddress": "10.20.30.0", "endAddress": "10.20.30.5"}],
"adminAPI": [{"startAddress": "10.20.30.0", "endAddress": "10.20.40.5"}],
"dataAccess": [{"startAddress": "10.20.30.0", "endAddress": "10.20.50.5"}],
"webUI": []
}`)
	r.admits(portManagement, "10.20.30.5")
	r.refuses(portManagement, "10.20.30.6", "10.20.30.10")
	r.admits(portNeighbour, "10.20.30.6", "10.20.30.10")

	ask("POST "+user, hdpUser).is(200)
	ask("GET "+user, "").is(200).equals(`{
"managementAPI": [{"startAddress": "10.20.30.2"}],
"adminAPI": [{"startAddress": "10.20.30.2"}],
"dataAccess": [{"startAddress": "10.20.30.2"}],
"webUI": []
}`)
	// "a user with an IP address of 10.20.30.2 only can access the Management API"
	self := r.key(`{"name": "user1", "role": "user", "tenant": "2", "user": "1"}`)
	const own = "GET http://127.0.0.1:9451/api/mgmt/security/whitelist/user"
	r.hdp(own, "", self, "10.20.30.2").is(200)
	r.hdp(own, "", self, "10.20.30.5").is(403)

	ask("POST "+system, `{"managementAPI": [{"startAddress": "10.20.30.9", "endAddress": "10.20.30.1"}, {"startAddress": "10.0.0.1", "endAddress": "::1"}]}`).
		is(400).says("$.managementAPI[0]").says("$.managementAPI[1]")
	ask("GET http://127.0.0.1:9451/api/admin/security/whitelist/tenants/99", "").is(404).
		equals(`{"error": {"code": 222208720, "message": {"lang": "en-US", "value": "tenant id : 99 does not exist."}}}`)

	for _, url := range []string{user, tenant, system} {
		if a := ask("DELETE "+url, "").is(204); a.text != "" {
			t.Errorf("DELETE %s answers %q", url, a.text)
		}
	}
	r.admits(portManagement, "192.0.2.1", "2001:db8::1")
}

// TestSeedHDPSwitch turns filtering off and on again.
func TestSeedHDPSwitch(t *testing.T) {
	r := newHDP(t)
	admin := r.key(`{"name": "admin", "role": "admin"}`)
	const url = "http://127.0.0.1:9451/api/admin/configurations/8"
	r.hdp("POST http://127.0.0.1:9451/api/admin/security/whitelist/system", hdpSystem, admin, "10.20.30.5").is(200)
	r.refuses(portManagement, "192.0.2.1")
	r.hdp("GET "+url, "", admin, "10.20.30.5").is(200).says(`"value": "true"`)
	r.hdp("PUT "+url, `{"value":"false"}`, admin, "10.20.30.5").is(200)
	r.admits(portManagement, "192.0.2.1")
	// Who is not listed may call meanwhile, and must not lock itself out by it.
	r.hdp("PUT "+url, `{"value":"true"}`, admin, "192.0.2.1").is(409)
	r.admits(portManagement, "192.0.2.1")
	r.hdp("PUT "+url, `{"value":"true"}`, admin, "10.20.30.5").is(200)
	r.refuses(portManagement, "192.0.2.1")
}
