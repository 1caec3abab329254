package hdp_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/dialect/dialecttest"
)

// callers are the columns of allowed.
func callers(r *dialecttest.Rig) map[string]dialecttest.Key {
	key := func(k access.Key) dialecttest.Key { return r.Key(k) }
	blocked := key(access.Key{Name: "blocked", Role: access.Admin, Status: access.Blocked})
	tampered := key(access.Key{Name: "tampered", Role: access.Admin})
	tampered.Secret = tampered.Secret[:len(tampered.Secret)-2] + "xx"
	permissions := func(name, tenant, user string, p ...string) dialecttest.Key {
		return key(access.Key{Name: name, Tenant: tenant, User: user, Permissions: p})
	}
	return map[string]dialecttest.Key{
		"none": {}, "blocked": blocked, "tampered": tampered,
		"admin":    key(access.Key{Name: "a", Role: access.Admin}),
		"operator": key(access.Key{Name: "o", Role: access.Operator}),
		"reader":   key(access.Key{Name: "r", Role: access.Reader}),
		"tenant2":  key(access.Key{Name: "t2", Role: access.TenantAdmin, Tenant: "2"}),
		"tenant3":  key(access.Key{Name: "t3", Role: access.TenantAdmin, Tenant: "3"}),
		"user1":    key(access.Key{Name: "u1", Role: access.User, Tenant: "2", User: "1"}),
		"user7":    key(access.Key{Name: "u7", Role: access.User, Tenant: "2", User: "7"}),
		"p12":      permissions("p12", "", "", "12"),
		"p11+29":   permissions("p1129", "", "", "11", "29"),
		"p11":      permissions("p11", "", "", "11"),
		"p29":      permissions("p29", "", "", "29"),
		"p11+29@2": permissions("p1129t", "2", "", "11", "29"),
		"p11+29@1": permissions("p1129u", "2", "1", "11", "29"),
	}
}

// allowed is who may do what. The answers are statuses; user 1 of tenant 2 is Ann.
const allowed = `
                                                      none blocked tampered admin operator reader tenant2 tenant3 user1 user7 p12 p11+29 p11 p29 p11+29@2 p11+29@1
GET    /api/admin/security/whitelist/system           401  401     401      200   200      200    403     403     403   403   200 200    200 403 403      403
POST   /api/admin/security/whitelist/system           401  401     401      200   200      403    403     403     403   403   200 200    403 403 403      403
PUT    /api/admin/security/whitelist/system           401  401     401      200   200      403    403     403     403   403   200 200    403 403 403      403
DELETE /api/admin/security/whitelist/system           401  401     401      204   204      403    403     403     403   403   204 204    403 403 403      403
GET    /api/admin/security/whitelist/tenants          401  401     401      200   200      200    200     200     403   403   200 200    200 403 200      403
GET    /api/admin/security/whitelist/tenants/2        401  401     401      200   200      200    200     403     403   403   200 200    200 403 200      403
POST   /api/admin/security/whitelist/tenants/2        401  401     401      200   200      403    200     403     403   403   200 200    403 403 200      403
PUT    /api/admin/security/whitelist/tenants/2        401  401     401      200   200      403    200     403     403   403   200 200    403 403 200      403
DELETE /api/admin/security/whitelist/tenants/2        401  401     401      204   204      403    204     403     403   403   204 204    403 403 204      403
GET    /api/admin/security/whitelist/tenants/9        401  401     401      404   404      404    403     403     403   403   404 404    404 403 403      403
GET    /api/admin/security/whitelist/users            401  401     401      200   403      403    403     403     403   403   200 403    403 403 403      403
GET    /api/mgmt/security/whitelist/user              401  401     401      400   400      400    400     400     200   200   400 400    400 400 400      200
POST   /api/mgmt/security/whitelist/user              401  401     401      400   400      400    400     400     200   200   400 400    400 400 400      200
PUT    /api/mgmt/security/whitelist/user              401  401     401      400   400      400    400     400     200   200   400 400    400 400 400      200
DELETE /api/mgmt/security/whitelist/user              401  401     401      400   400      400    400     400     204   204   400 400    400 400 400      204
GET    /api/mgmt/security/whitelist/user?user=Ann     401  401     401      200   200      200    200     404     200   403   200 200    200 403 200      200
POST   /api/mgmt/security/whitelist/user?user=Ann     401  401     401      200   200      403    200     404     200   403   200 200    403 403 200      200
PUT    /api/mgmt/security/whitelist/user?user=Ann     401  401     401      200   200      403    200     404     200   403   200 200    403 403 200      200
DELETE /api/mgmt/security/whitelist/user?user=Ann     401  401     401      204   204      403    204     404     204   403   204 204    403 403 204      204
GET    /api/mgmt/security/whitelist/user/1            401  401     401      409   409      409    200     200     200   403   409 409    409 403 200      200
POST   /api/mgmt/security/whitelist/user/1            401  401     401      409   409      403    200     200     200   403   409 409    403 403 200      200
PUT    /api/mgmt/security/whitelist/user/7            401  401     401      200   200      403    200     404     403   200   200 200    403 403 200      403
DELETE /api/mgmt/security/whitelist/user/7            401  401     401      204   204      403    204     404     403   204   204 204    403 403 204      403
GET    /api/admin/configurations/8                    401  401     401      200   200      200    403     403     403   403   200 403    403 403 403      403
PUT    /api/admin/configurations/8                    401  401     401      200   403      403    403     403     403   403   200 403    403 403 403      403
`

func TestCallers(t *testing.T) {
	rows := strings.Split(strings.TrimSpace(allowed), "\n")
	columns := strings.Fields(rows[0])
	for _, row := range rows[1:] {
		cells := strings.Fields(row)
		line := cells[0] + " " + cells[1]
		t.Run(cells[0]+strings.NewReplacer("/api/", "-", "/security/whitelist", "", "/", "-", "?", "-", "=", "-").Replace(cells[1]), func(t *testing.T) {
			r := newRig(t)
			who := callers(r)
			r.List("tenants/2/dataAccess", dialecttest.Entry(t, "10.20.30.0/24"))
			for i, name := range columns {
				q := dialecttest.Request{Line: line, Key: who[name], From: "10.20.30." + strconv.Itoa(i+1)}
				if cells[0] == "POST" || cells[0] == "PUT" {
					q.Body = `{"dataAccess": [{"startAddress": "10.20.30.0", "endAddress": "10.20.30.255"}]}`
				}
				if strings.HasSuffix(line, "/8") && cells[0] == "PUT" {
					q.Body = `{"value": "true"}`
				}
				before := len(r.Refusals())
				w := r.Do(q)
				if want := cells[i+2]; strconv.Itoa(w.Code) != want {
					t.Errorf("%s: %s, want %s", name, said(w), want)
				}
				if told := len(r.Refusals()) - before; (w.Code == 401 || w.Code == 403) && told != 1 {
					t.Errorf("%s: %d lines in the journal of a refusal, want 1", name, told)
				}
			}
		})
	}
}

// Of a user's lists two are its own to see and to write.
func TestOwnLists(t *testing.T) {
	r := newRig(t)
	user := r.Key(access.Key{Name: "ann", Role: access.User, Tenant: "2", User: "1"})
	const adminAPI = "tenants/2/users/1/adminAPI"
	r.List(adminAPI, dialecttest.Entry(t, "10.20.30.2"))
	const shown = "200 {\n\"managementAPI\": [],\n\"dataAccess\": [\n{\n\"startAddress\": \"10.20.30.2\"\n}\n],\n\"webUI\": []\n}"
	for _, step := range []struct{ line, body, want string }{
		{"PUT " + userPath, `{"dataAccess": [{"startAddress": "10.20.30.2"}]}`, shown},
		{"GET " + userPath, "", shown},
		{"PUT " + userPath, strings.TrimPrefix(shown, "200 "), shown},
		{"PUT " + userPath, userLists, refusal(403, 222208741, "ann may not write lists of "+adminAPI)},
		{"DELETE " + userPath, "", refusal(403, 222208741, "ann may not write lists of "+adminAPI)},
		{"GET " + userPath, "", shown},
	} {
		if got := ask(r, user, step.line, step.body); got != step.want {
			t.Errorf("%s: %s, want %s", step.line, got, step.want)
		}
	}
}

func TestExpiredKey(t *testing.T) {
	r := newRig(t)
	k := r.Key(access.Key{Name: "short", Role: access.Admin, Expires: r.Now().Add(time.Minute)})
	r.Pass(time.Minute)
	want := refusal(401, 222206007, "Invalid user ID or password.")
	if got := ask(r, k, "GET "+systemPath, ""); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
