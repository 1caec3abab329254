package main

import "testing"

// TestSeedTrustX plays "Managing Access": a key with one permission, its token,
// and the tenant's permitted addresses.
func TestSeedTrustX(t *testing.T) {
	r := newRig(t)
	r.offer(`
  dialects: [{name: trustx, listen: "http://127.0.0.1:9450", tenant: "{tenant}.{region}.trustx.com"}]
`, `
  - {name: data, address: everything, ports: [443], tenants: [tenant1], resource: dataAccess}
`)
	r.start("ok")
	r.root("PUT /tenants/tenant1", `{"attributes": {
		"skyRegion": "oak",
		"dataBucket": "sky-prod-oak-data-eu-west-1",
		"metricsQueueName": "sky-prod-activity-stream",
		"tenantAuditKinesisDataStreamName": "sky-oak-prod-audits3",
		"awsResources": {
			"kmsKeyId": "sky-prod-oak-tenant1",
			"kmsAWSKeyId": "2efc4785-51fe-4d45-9a3d-5abf2f1276ea",
			"lambda": "sky-prod-oak-tenant1"
		}
	}}`).is(200)
	k := r.key(`{"name": "access", "tenant": "tenant1", "permissions": ["TNT#tenant1#Crms:updateTenantPermittedIpAddresses"]}`)
	r.admits(443, "192.168.1.1", "192.0.2.1", "2001:db9::1")

	trustx := func(line, body string, header string) *reply {
		return r.curl(line, body, "--connect-to", "::127.0.0.1:9450", "--header", header)
	}
	const host = "http://tenant1.oak.trustx.com"
	var issued struct {
		Token string
		TTL   int
	}
	trustx("POST "+host+"/api/arthr/apiKeys/issue", `{}`, "X-API-Key: "+k.Secret).is(200).into(&issued)
	if issued.Token == "" || issued.TTL < 890 || issued.TTL > 900 {
		t.Errorf("issued for %d seconds: %q", issued.TTL, issued.Token)
	}
	bearer := "Authorization: Bearer " + issued.Token

	trustx("POST "+host+"/api/crms/permittedips", `{"ips": ["192.168.1.1","2001:db8::/48","192.176.1.1/24"]}`, bearer).is(200).equals(`{
		"skyRegion": "oak",
		"dataBucket": "sky-prod-oak-data-eu-west-1",
		"metricsQueueName": "sky-prod-activity-stream",
		"tenantAuditKinesisDataStreamName": "sky-oak-prod-audits3",
		"awsResources": {
			"kmsKeyId": "sky-prod-oak-tenant1",
			"kmsAWSKeyId": "2efc4785-51fe-4d45-9a3d-5abf2f1276ea",
			"lambda": "sky-prod-oak-tenant1"
		},
		"permittedIPs": {
			"ips": [
				"192.168.1.1",
				"2001:db8::/48",
				"192.176.1.1/24"
			]
		}
	}`)
	// Not within five minutes, as the seed has it: with the answer.
	r.admits(443, "192.168.1.1", "192.176.1.0", "192.176.1.255", "2001:db8::1", "2001:db8:0:ffff::1")
	r.refuses(443, "192.168.1.2", "192.176.0.255", "192.176.2.0", "192.0.2.1", "2001:db8:1::1", "2001:db9::1")

	trustx("POST "+host+"/api/crms/permittedips", `{"ips": ["192.0.2.1"]}`, bearer).is(200)
	r.admits(443, "192.0.2.1")
	r.refuses(443, "192.168.1.1", "2001:db8::1")

	for url, status := range map[string]int{
		"http://tenant2.oak.trustx.com/api/crms/permittedips": 403,
		"http://example.com/api/crms/permittedips":            404,
	} {
		trustx("POST "+url, `{"ips": ["192.0.2.1"]}`, bearer).is(status)
	}
	trustx("POST "+host+"/api/crms/permittedips", `{"ips": ["192.0.2.300"]}`, bearer).is(400).says(`"path":"$.ips[0]"`)
	trustx("POST "+host+"/api/crms/permittedips", `{"ips": []}`, bearer).is(400)
	trustx("POST "+host+"/api/crms/permittedips", `{"ips": ["10.0.0.0/8"]}`, bearer+"x").is(401)
	r.admits(443, "192.0.2.1")
	r.refuses(443, "192.168.1.1", "10.0.0.1")
}
