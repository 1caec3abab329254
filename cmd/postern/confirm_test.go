package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/testenv"
)

// newPair is a host that serves two tenants, each with a list that lets in
// 198.51.100.0/24.
func newPair(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	r.offer("", `
  - {name: acme, address: everything, ports: [443], tenants: [acme]}
  - {name: globex, address: everything, ports: [444], tenants: [globex]}
`)
	r.start("ok")
	r.allow("tenants/acme/*", "198.51.100.0/24")
	r.allow("tenants/globex/*", "198.51.100.0/24")
	return r
}

// attempt is a change that waits to be confirmed.
type attempt struct {
	Revision uint64
	Confirm  time.Time
}

// try has a tenant's list let in 192.0.2.0/24 instead, unless that is not
// confirmed in time.
func (r *rig) try(tenant, within string) attempt {
	r.t.Helper()
	var made attempt
	r.root("PUT /lists/tenants/"+tenant+"/*?confirm="+within, `{"entries": ["192.0.2.0/24"]}`).is(200).into(&made)
	if made.Confirm.IsZero() {
		r.t.Fatal("the change waits for nobody")
	}
	return made
}

// tried reports who is let in otherwise than by a list that is tried.
func (r *rig) tried(port uint16) error { return r.only(port, "192.0.2.1", "198.51.100.7") }

// reverted reports who is let in otherwise than by the list before.
func (r *rig) reverted(port uint16) error { return r.only(port, "198.51.100.7", "192.0.2.1") }

func (r *rig) only(port uint16, in, out string) error {
	if got := fmt.Sprint(r.passes(in, port), r.passes(out, port)); got != "true false" {
		return fmt.Errorf("port %d: from %s and %s pass %s, want true false", port, in, out, got)
	}
	return nil
}

func (r *rig) check(errs ...error) {
	r.t.Helper()
	for _, err := range errs {
		if err != nil {
			r.t.Error(err)
		}
	}
}

// TestConfirm makes two changes that wait to be confirmed, side by side. One is
// confirmed, by a connection made after it, and the other taken back in time.
func TestConfirm(t *testing.T) {
	r := newPair(t)
	acme, globex := r.try("acme", "2s"), r.try("globex", "1m")
	r.check(r.tried(443), r.tried(444))
	r.root("PUT /lists/tenants/globex/*", `{"entries": ["10.0.0.0/8"]}`).is(409).says(`"urn:postern:pending"`).says(`"confirm":"`)
	r.root("DELETE /lists/tenants/acme/*?force=true", "").is(409).says(`"urn:postern:pending"`)

	testenv.Eventually(t, 5*time.Second, func() error { return r.reverted(443) })
	if early := time.Until(acme.Confirm); early > 0 {
		t.Errorf("taken back %s early", early)
	}
	r.check(r.tried(444))
	r.root("GET /revisions?limit=1", "").is(200).says(fmt.Sprintf(`"reverts":%d`, acme.Revision)).says(`"origin":"revert"`)
	r.root(fmt.Sprintf("POST /revisions/%d/confirm", acme.Revision), "").is(404)

	r.root(fmt.Sprintf("POST /revisions/%d/confirm", globex.Revision), "").is(200)
	r.root("GET /revisions?outcome=pending", "").is(200).says(`"revisions":[]`)
	r.root("PUT /lists/tenants/globex/*", `{"entries": ["192.0.2.0/24", "10.0.0.0/8"]}`).is(200)
	r.end(syscall.SIGKILL)
	r.start("ok")
	r.check(r.reverted(443), r.tried(444))
}

// TestConfirmOverAnotherConnection confirms over the connection that the change
// was made by, which shows nothing, and then over another.
func TestConfirmOverAnotherConnection(t *testing.T) {
	r := newPair(t)
	admin := r.key(`{"name": "admin", "role": "admin"}`)
	// What is tried is revision 4: the files were one, and the lists two.
	const base = "http://127.0.0.1:9440/api/v1"
	out, err := r.output(strings.NewReader(`{"entries": ["192.0.2.0/24"]}`), "curl", "--silent", "--globoff", "--noproxy", "*", "--max-time", "10",
		"--request", "PUT", "--header", admin.bearer(), "--header", "Content-Type: application/json", "--data-binary", "@-",
		"--write-out", "\n%{http_code} %{num_connects}\n", base+"/lists/tenants/acme/*?confirm=1m",
		"--next", "--silent", "--globoff", "--noproxy", "*", "--max-time", "10",
		"--request", "POST", "--header", admin.bearer(), "--write-out", "\n%{http_code} %{num_connects}\n", base+"/revisions/4/confirm")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n200 1\n", "\n409 0\n", "revision 4 cannot be confirmed over a connection that is older than it"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("curl does not say %q:\n%s", want, out)
		}
	}
	r.curl("POST "+base+"/revisions/4/confirm", "", "--header", admin.bearer()).is(200)
	r.check(r.tried(443), r.reverted(444))
}

// TestConfirmKilled kills the agent while two changes wait. What is overdue when
// it comes back is taken back at once, the other in time.
func TestConfirmKilled(t *testing.T) {
	r := newPair(t)
	acme, globex := r.try("acme", "1s"), r.try("globex", "3s")
	r.end(syscall.SIGKILL)
	r.check(r.tried(443), r.tried(444)) // the kernel goes on
	testenv.Eventually(t, 5*time.Second, func() error {
		if left := time.Until(acme.Confirm); left > 0 {
			return fmt.Errorf("it has %s yet", left)
		}
		return nil
	})
	r.start("ok")
	r.check(r.reverted(443))
	if time.Now().Before(globex.Confirm) {
		r.check(r.tried(444))
	}
	testenv.Eventually(t, 10*time.Second, func() error { return r.reverted(444) })
	if early := time.Until(globex.Confirm); early > 0 {
		t.Errorf("taken back %s early", early)
	}
	r.end(syscall.SIGKILL)
	r.start("ok")
	r.check(r.reverted(443), r.reverted(444))
}
