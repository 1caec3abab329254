package main

import "net/http"

const (
	acme      = `{"id":"acme","name":"ACME Corp.","hosts":["acme.example.com"],"selfService":false,"attributes":{"region":"oak"},"users":2,"lists":3,"etag":"\"t1\""}`
	dataPort  = `{"name":"data","protocol":"tcp","destination":"203.0.113.10","ports":["443"],"tenants":["acme"],"resource":"dataAccess","client":"peer","refuse":"drop","mode":"enforce","lists":["tenants/acme/*"],"pass":{"packets":2,"bytes":120},"drop":{"packets":0,"bytes":0},"wouldDrop":{"packets":0,"bytes":0}}`
	endpoint  = `{"name":"data","etag":"\"e1\"","spec":{"address":"203.0.113.10","ports":["443"],"tenants":["acme"]},"status":` + dataPort + `}`
	dataTable = "ENDPOINT  SERVES                CLIENT  REFUSE  MODE     PASS       DROP  WOULD DROP  LISTS\n" +
		"data      tcp 203.0.113.10:443  peer    drop    enforce  2 (120 B)  0     0           tenants/acme/*\n"
	wroteTenant = `{"revision":42,"enforced":true,"names":["tenants/acme"],"lists":[],"warnings":[]}`
	key         = `{"id":"k1","name":"acme-ci","type":"PERMANENT","status":"ACTIVE","role":"tenant-admin","tenant":"acme","permissions":[],"created":"2026-06-01T00:00:00Z","updated":"2026-06-01T00:00:00Z"}`
	keyTable    = "ID  NAME     STATUS  ROLE          TENANT  USER  EXPIRES  PERMISSIONS\n" +
		"k1  acme-ci  ACTIVE  tenant-admin  acme    -     -        -\n"
)

func typedRecords() []typed {
	return []typed{
		{
			name:   "tenants",
			args:   []string{"tenants", "--match", "acme"},
			script: []exchange{{ask: "GET /tenants?limit=1000&q=acme", say: `{"tenants":[` + acme + `]}`}},
			out: "TENANT  NAME        USERS  LISTS  SELF-SERVICE  OWNER  HOSTS\n" +
				"acme    ACME Corp.  2      3      no            store  acme.example.com\n",
		},
		{
			name:   "tenant",
			args:   []string{"tenants", "show", "acme"},
			script: []exchange{{ask: "GET /tenants/acme", say: acme}},
			out: "TENANT  NAME        USERS  LISTS  SELF-SERVICE  OWNER  HOSTS\n" +
				"acme    ACME Corp.  2      3      no            store  acme.example.com\n\nattributes {\"region\":\"oak\"}\n",
		},
		{
			name: "tenant-set-keeps-the-rest",
			args: []string{"tenants", "set", "acme", "--host", "a.example.com", "--host", "b.example.com"},
			script: []exchange{
				{ask: "GET /tenants/acme", say: acme},
				{ask: "PUT /tenants/acme\n" + `{"hosts":["a.example.com","b.example.com"],"name":"ACME Corp.","selfService":false}`, say: wroteTenant},
			},
			out: "revision 42 changes\ntenants/acme\n",
		},
		{
			name: "tenant-made",
			args: []string{"tenants", "set", "acme", "--attributes", `{"z": 1, "a": 2}`, "--self-service=false"},
			script: []exchange{
				{ask: "GET /tenants/acme", status: 404, say: refusal("not-found", "there is none")},
				{ask: "PUT /tenants/acme\n" + `{"attributes":{"z":1,"a":2},"selfService":false}`, say: wroteTenant},
			},
			out: "revision 42 changes\ntenants/acme\n",
		},
		{
			name:   "tenant-delete",
			args:   []string{"tenants", "delete", "acme", "--force"},
			script: []exchange{{ask: "DELETE /tenants/acme?force=true", say: wroteTenant}},
			out:    "revision 42 changes\ntenants/acme\n",
		},
		{
			name:   "users",
			args:   []string{"users", "acme"},
			script: []exchange{{ask: "GET /tenants/acme/users?limit=1000", say: `{"users":[{"tenant":"acme","id":"1","name":"Ann","lists":1,"etag":"\"u1\""}]}`}},
			out:    "USER  NAME  LISTS  OWNER\n1     Ann   1      store\n",
		},
		{
			name:   "user",
			args:   []string{"users", "show", "acme", "1"},
			script: []exchange{{ask: "GET /tenants/acme/users/1", say: `{"tenant":"acme","id":"1","lists":1,"etag":"\"u1\"","owner":"/a.yaml"}`}},
			out:    "USER  NAME  LISTS  OWNER\n1     -     1      /a.yaml\n",
		},
		{
			name:   "user-set",
			args:   []string{"users", "set", "acme", "1", "--name", "Ann"},
			script: []exchange{{ask: "PUT /tenants/acme/users/1\n" + `{"name":"Ann"}`, say: wroteTenant}},
			out:    "revision 42 changes\ntenants/acme\n",
		},
		{
			name:   "user-delete",
			args:   []string{"users", "delete", "acme", "1"},
			script: []exchange{{ask: "DELETE /tenants/acme/users/1", say: wroteTenant}},
			out:    "revision 42 changes\ntenants/acme\n",
		},
		{
			name:   "endpoints",
			args:   []string{"endpoints", "--project", "default"},
			script: []exchange{{ask: "GET /endpoints?limit=1000&project=default", say: `{"endpoints":[` + dataPort + `]}`}},
			out:    dataTable,
		},
		{
			name:   "endpoint",
			args:   []string{"endpoints", "show", "data"},
			script: []exchange{{ask: "GET /endpoints/data", say: endpoint}},
			out:    "owner  store\netag   \"e1\"\n\n" + dataTable,
		},
		{
			name: "endpoint-set-keeps-the-rest",
			args: []string{"endpoints", "set", "data", "--ports", "443,8000-8010", "--mode", "monitor"},
			script: []exchange{
				{ask: "GET /endpoints/data", say: endpoint},
				{ask: "PUT /endpoints/data\n" + `{"address":"203.0.113.10","mode":"monitor","ports":["443","8000-8010"],"tenants":["acme"]}`, say: wroteTenant},
			},
			out: "revision 42 changes\ntenants/acme\n",
		},
		{
			name: "endpoint-from-a-file",
			args: []string{"endpoints", "set", "data", "-f", "-"},
			in:   `{"address": "everything", "adress": "x"}`,
			script: []exchange{
				{ask: "GET /endpoints/data", status: 404, say: refusal("not-found", "there is none")},
			},
			errs: "postern: -: json: unknown field \"adress\"\n",
			code: 1,
		},
		{
			name:   "endpoint-delete",
			args:   []string{"endpoints", "delete", "data"},
			script: []exchange{{ask: "DELETE /endpoints/data", say: wroteTenant}},
			out:    "revision 42 changes\ntenants/acme\n",
		},
		{
			name:   "security",
			args:   []string{"endpoints", "security", "data"},
			script: []exchange{{ask: "GET /endpoints/data/security", say: `{"verificationMode":"or"}`}},
			out:    "{\n  \"verificationMode\": \"or\"\n}\n",
		},
		{
			name:   "security-set",
			args:   []string{"endpoints", "security", "data", "-f", "-"},
			in:     `{"verificationMode":"and"}`,
			script: []exchange{{ask: "PUT /endpoints/data/security\n" + `{"verificationMode":"and"}`, say: wroteTenant}},
			out:    "revision 42 changes\ntenants/acme\n",
		},
		{
			name:   "filtering",
			args:   []string{"filtering"},
			script: []exchange{{ask: "GET /filtering", say: `{"filtering":"on","etag":"\"f\""}`}},
			out:    "filtering on\n",
		},
		{
			name:   "filtering-off",
			args:   []string{"filtering", "off", "--force"},
			script: []exchange{{ask: "PUT /filtering?force=true\n" + `{"filtering":"off"}`, say: `{"revision":42,"enforced":false,"names":["filtering"],"lists":[],"warnings":[]}`}},
			out:    "revision 42, not enforced yet, changes\nfiltering\n",
		},
		{
			name:   "keys",
			args:   []string{"keys", "--tenant", "acme"},
			script: []exchange{{ask: "GET /keys?limit=1000&tenant=acme", say: `{"keys":[` + key + `]}`}},
			out:    keyTable,
		},
		{
			name: "key-create",
			args: []string{"keys", "create", "--name", "acme-ci", "--permission", "TNT#acme#Crms:updateTenantPermittedIpAddresses", "--permission", "11", "--expires", "2027-01-31T00:00:00Z"},
			script: []exchange{{
				ask: "POST /keys\n" + `{"expires":"2027-01-31T00:00:00Z","name":"acme-ci","permissions":["TNT#acme#Crms:updateTenantPermittedIpAddresses","11"]}`, status: http.StatusCreated,
				say: `{"secret":"psk_k1_x",` + key[1:],
			}},
			out: "id      k1\nname    acme-ci\nsecret  psk_k1_x\n",
		},
		{
			name:   "key",
			args:   []string{"keys", "show", "k1"},
			script: []exchange{{ask: "GET /keys/k1", say: key}},
			out:    keyTable,
		},
		{
			name:   "key-unblock",
			args:   []string{"keys", "unblock", "k1"},
			script: []exchange{{ask: "PATCH /keys/k1\n" + `{"status":"ACTIVE"}`, say: key}},
			out:    keyTable,
		},
		{
			name: "keys-blocked-until-one-is-not-there",
			args: []string{"keys", "block", "k1", "k2"},
			script: []exchange{
				{ask: "PATCH /keys/k1\n" + `{"status":"BLOCKED"}`, say: `{"id":"k1","name":"ci","type":"PERMANENT","created":"2026-01-01T00:00:00Z","updated":"2026-01-01T00:00:00Z","status":"BLOCKED","permissions":[]}`},
				{ask: "PATCH /keys/k2\n" + `{"status":"BLOCKED"}`, status: 404, say: refusal("not-found", "there is no key k2")},
			},
			out:  "ID  NAME  STATUS   ROLE  TENANT  USER  EXPIRES  PERMISSIONS\nk1  ci    BLOCKED  -     -       -     -        -\n",
			errs: "postern: block k2: there is no key k2\n",
			code: 1,
		},
		{
			name:   "key-expired",
			args:   []string{"keys", "show", "k1"},
			script: []exchange{{ask: "GET /keys/k1", say: `{"id":"k1","name":"ci","type":"PERMANENT","created":"2026-01-01T00:00:00Z","updated":"2026-01-01T00:00:00Z","status":"ACTIVE","permissions":[],"expires":"2026-01-31T00:00:00Z"}`}},
			out:    "ID  NAME  STATUS   ROLE  TENANT  USER  EXPIRES               PERMISSIONS\nk1  ci    EXPIRED  -     -       -     2026-01-31T00:00:00Z  -\n",
		},
		{
			name: "key-block",
			args: []string{"keys", "block", "k1"},
			script: []exchange{{
				ask: "PATCH /keys/k1\n" + `{"status":"BLOCKED"}`, status: 401,
				say: refusal("unauthenticated", "the token has expired"),
			}},
			errs: "postern: block k1: the token has expired; name another key with --key-file\n",
			code: 1,
		},
		{
			name:   "key-delete",
			args:   []string{"keys", "delete", "k1"},
			script: []exchange{{ask: "DELETE /keys/k1", status: http.StatusNoContent}},
			out:    "deleted k1\n",
		},
	}
}
