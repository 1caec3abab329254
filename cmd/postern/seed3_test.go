package main

import (
	"strings"
	"testing"
	"time"
)

// TestSeedNorthflank plays "Get service ports": the port of its example, as it is
// answered, and its policies as packets see them. A password is read as "".
func TestSeedNorthflank(t *testing.T) {
	r := newRig(t)
	r.offer(`
  dialects:
    - name: northflank
      listen: "http://127.0.0.1:9452"
      dns: "{name}--{service}--{project}--user-abc1.salvo.code.run"
      certificates: [app.pem]
`, `
  - {name: other, address: everything, ports: [444]}
`)
	until := time.Date(2022, 4, 26, 9, 25, 2, 0, time.UTC)
	r.write("app.pem", bundle((*authority)(nil).issue(t, "app.example.com", until.AddDate(0, -3, 0), until, "app.example.com")))
	r.start("ok")
	platform := r.key(`{"name": "platform", "role": "admin"}`)
	const url = "http://127.0.0.1:9452/v1/projects/default-service/services/example-service/ports"
	ask := func(line, body string, args ...string) *reply {
		return r.curl(line, body, append(args, "--header", platform.bearer())...)
	}
	const port = `{"ports": [{
		"id": "eonyui", "name": "p01", "internalPort": 8080, "protocol": "HTTP", "public": true, "domains": ["app.example.com"], "security": {
			"credentials": [{"username": "admin", "password": "password123", "type": "basic-auth"}],
			"policies": POLICIES,
			"sso": {"organizationId": "org_uniquestringidentifier", "directoryGroupIds": ["directory_group_uniquestringidentifier"]}
		}, "disableNfDomain": false
	}]}`
	post := func(policies string) *reply {
		return ask("POST "+url, strings.Replace(port, "POLICIES", policies, 1))
	}
	ask("GET "+url, "").is(200).equals(`{"data": {"ports": []}}`)
	post(`[{"addresses": ["127.0.0.1"], "action": "DENY"}]`).is(200).equals(`{"data": {}}`)
	if got, want := ask("GET "+url, "").is(200).text, northflankPorts; strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// Only DENY entries: everybody else is allowed.
	r.admits(8080, "198.51.100.7", "192.0.2.1")
	r.refuses(8080, "127.0.0.1")

	// DENY beats ALLOW, whatever the sizes, and any ALLOW makes the rest refused.
	post(`[{"addresses": ["198.51.100.0/24"], "action": "ALLOW"}, {"addresses": ["198.51.100.66"], "action": "DENY"}]`).is(200)
	r.admits(8080, "198.51.100.7", "198.51.100.255")
	r.refuses(8080, "198.51.100.66", "192.0.2.1", "198.51.101.0")
	r.admits(444, "192.0.2.1")

	// The id keeps the security of a port that comes without.
	ask("POST "+url, `{"ports": [{"id": "eonyui", "name": "p02", "internalPort": 8080, "protocol": "HTTP", "public": true}]}`).is(200)
	ask("GET "+url, "").is(200).says(`"name": "p02"`).says(`"198.51.100.66"`).says(`"username": "admin"`)
	r.refuses(8080, "198.51.100.66", "192.0.2.1")

	post(`[{"addresses": ["198.51.100.1-198.51.100.9"], "action": "ALLOW"}, {"addresses": ["x"], "action": "REJECT"}]`).is(400).
		says(`$.ports[0].security.policies[0].addresses[0]`).says(`$.ports[0].security.policies[1].action`)
	ask("POST "+url, `{"ports": [{"id": "eonyui", "name": "p02", "internalPort": 8080, "protocol": "HTTP", "domains": ["other.example.com"]}]}`).
		is(404).says("domain other.example.com is not known")
	ask("POST "+url, `{"ports": []}`).is(409).says(`"would-open"`)
	r.refuses(8080, "198.51.100.66", "192.0.2.1")
	ask("POST "+url, `{"ports": []}`, "--header", "X-Postern-Force: true").is(200)
	r.admits(8080, "192.0.2.1")
}

const northflankPorts = `
{
  "data": {
    "ports": [
      {
        "id": "eonyui",
        "name": "p01",
        "internalPort": 8080,
        "protocol": "HTTP",
        "public": true,
        "dns": "p01--example-service--default-service--user-abc1.salvo.code.run",
        "domains": [
          {
            "name": "app.example.com",
            "certificate": {
              "inProgress": false,
              "expiryDate": "2022-04-26T09:25:02.000Z",
              "refreshDate": "2022-03-27T09:25:02.000Z"
            }
          }
        ],
        "security": {
          "credentials": [
            {
              "username": "admin",
              "password": "",
              "type": "basic-auth"
            }
          ],
          "policies": [
            {
              "addresses": [
                "127.0.0.1"
              ],
              "action": "DENY"
            }
          ],
          "sso": {
            "organizationId": "org_uniquestringidentifier",
            "directoryGroupIds": [
              "directory_group_uniquestringidentifier"
            ]
          }
        },
        "disableNfDomain": false
      }
    ]
  }
}
`
