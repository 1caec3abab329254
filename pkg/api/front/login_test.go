package front_test

import (
	"net/http"
	"testing"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/front"
)

func TestLogin(t *testing.T) {
	r := newRig(t, plain)
	var shown access.Credentials
	r.handler = func(w http.ResponseWriter, req *http.Request) {
		if no := front.Login(w.Header(), req, shown); no != nil {
			plain.Refuse(w, req, no)
			return
		}
		w.Write([]byte(front.CallOf(req.Context()).Caller.Name))
	}
	tests := []struct {
		name, from string
		shown      access.Credentials
		want       string
		told       int // lines in the journal
	}{
		{name: "id-and-secret", from: "10.1.0.1", shown: access.Credentials{ID: r.acme.id, Secret: r.acme.secret}, want: "200 acme-key"},
		{
			name: "another-s-secret", from: "10.1.0.1", shown: access.Credentials{ID: r.acme.id, Secret: r.admin.secret},
			want: `401 "unauthenticated: these credentials are not good"`, told: 1,
		},
		{
			name: "not-on-its-tenant-s-list", from: "10.2.0.1", shown: access.Credentials{ID: r.acme.id, Secret: r.acme.secret},
			want: `403 "not-listed: ` + text + `10.2.0.1, orgId: acme"`, told: 1,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			shown, r.records = tt.shown, nil
			w := r.ask(request(tt.from, "POST /public"))
			if got := said(w); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if len(r.records) != tt.told {
				t.Errorf("the journal was told %d times: %+v", len(r.records), r.records)
			}
			if left := w.Header().Get("X-Ratelimit-Remaining"); (left != "") != (w.Code == http.StatusOK) {
				t.Errorf("status %d, %q requests left", w.Code, left)
			}
		})
	}
}
