package control

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// callers are of every kind there is. Those that do not authenticate are nobody.
var callers = []struct {
	name string
	call func(*world) *Call
}{
	{"nobody", func(w *world) *Call { return &Call{From: netip.MustParseAddr("10.0.0.1"), Resource: "managementAPI"} }},
	{"blocked", func(w *world) *Call {
		return w.shows(access.Key{Role: access.Admin}, func(k *access.Key) { k.Status = access.Blocked }, 0)
	}},
	{"archived", func(w *world) *Call {
		return w.shows(access.Key{Role: access.Admin}, func(k *access.Key) { k.Status = access.Archived }, 0)
	}},
	{"expired", func(w *world) *Call {
		return w.shows(access.Key{Role: access.Admin, Expires: noon.Add(time.Hour)}, nil, 2*time.Hour)
	}},
	{"globex-admin", func(w *world) *Call { return w.as(access.Key{Role: access.TenantAdmin, Tenant: "globex"}, "10.1.0.1") }},
	{"globex-user", func(w *world) *Call {
		return w.as(access.Key{Role: access.User, Tenant: "globex", User: "1"}, "10.1.0.1")
	}},
	{"globex-trustx", func(w *world) *Call {
		return w.as(access.Key{Permissions: []string{"TNT#globex#Crms:updateTenantPermittedIpAddresses"}}, "10.1.0.1")
	}},
	{"staff-only", func(w *world) *Call { return w.as(access.Key{Role: access.TenantAdmin, Tenant: "staff"}, "10.2.0.1") }},
	{"user-2", func(w *world) *Call {
		return w.as(access.Key{Role: access.User, Tenant: "acme", User: "2"}, "10.0.0.1")
	}},
	{"user-1", func(w *world) *Call {
		return w.as(access.Key{Role: access.User, Tenant: "acme", User: "1"}, "10.0.0.1")
	}},
	{"trustx", func(w *world) *Call {
		return w.as(access.Key{Permissions: []string{"TNT#acme#Crms:updateTenantPermittedIpAddresses"}}, "10.0.0.1")
	}},
	{"hdp-29-alone", func(w *world) *Call {
		return w.as(access.Key{Tenant: "acme", Permissions: []string{"29"}}, "10.0.0.1")
	}},
	{"hdp-11-29", func(w *world) *Call {
		return w.as(access.Key{Tenant: "acme", Permissions: []string{"11", "29"}}, "10.0.0.1")
	}},
	{"tenant-reader", func(w *world) *Call { return w.as(access.Key{Role: access.Reader, Tenant: "acme"}, "10.0.0.1") }},
	{"tenant-admin", func(w *world) *Call { return w.as(access.Key{Role: access.TenantAdmin, Tenant: "acme"}, "10.0.0.1") }},
	{"reader", func(w *world) *Call { return w.as(access.Key{Role: access.Reader}, "10.0.0.1") }},
	{"operator", func(w *world) *Call { return w.as(access.Key{Role: access.Operator}, "10.0.0.1") }},
	{"hdp-12", func(w *world) *Call { return w.as(access.Key{Permissions: []string{"12"}}, "10.0.0.1") }},
	{"admin", func(w *world) *Call { return w.as(access.Key{Role: access.Admin}, "10.0.0.1") }},
	{"uid-1000", func(*world) *Call { return &Call{Caller: access.Local(1000, false), Exempt: true} }},
	{"root", func(*world) *Call { return root() }},
}

// shows is a call with a secret, authenticated when the key was changed and time
// has passed: as an API would, it is nobody's where that fails.
func (w *world) shows(k access.Key, change func(*access.Key), later time.Duration) *Call {
	keep := func(_, after *access.Key) error { return w.store.PutKey(*after, audit.Note{}) }
	k.Name = "shown"
	made, secret, err := w.ring.Create("root", k, keep)
	if err != nil {
		w.Fatal(err)
	}
	if change != nil {
		if _, err := w.ring.Update("root", made.ID, func(k *access.Key) error { change(k); return nil }, keep); err != nil {
			w.Fatal(err)
		}
	}
	w.at = w.at.Add(later)
	from := netip.MustParseAddr("10.0.0.1")
	caller, err := w.ring.Authenticate(from, access.Credentials{Secret: secret})
	if err == nil {
		w.Fatalf("key %s opens something", made.Name)
	}
	return &Call{Caller: caller, From: from, Resource: "managementAPI"}
}

// operations are everything that can be asked of a Service, by the name of what is
// exported and what it is asked about. Each is tried on a world of its own; the
// guard is overruled, as rights are what is asked about.
var operations = []struct {
	name string
	do   func(context.Context, *world, *Call) error
}{
	{"Replace system/dataAccess", write(Replace(place("system/dataAccess"), nil, entries("10.0.0.0/8")))},
	{"Replace tenants/acme/*", write(Replace(place("tenants/acme/*"), nil, entries("10.0.0.0/8")))},
	{"Replace tenants/acme/dataAccess", write(Replace(place("tenants/acme/dataAccess"), nil, entries("10.0.0.0/8")))},
	{"Replace tenants/acme/users/1/dataAccess", write(Replace(place("tenants/acme/users/1/dataAccess"), nil, entries("10.0.0.0/8")))},
	{"Replace tenants/acme/users/1/adminAPI", write(Replace(place("tenants/acme/users/1/adminAPI"), nil, entries("10.0.0.0/8")))},
	{"Replace endpoints/acme-data", write(Replace(place("endpoints/acme-data"), nil, entries("10.0.0.0/8")))},
	{"Replace tenants/staff/*", write(Replace(place("tenants/staff/*"), nil, entries("10.0.0.0/8")))},
	{"Replace tenants/nobody/*", write(Replace(place("tenants/nobody/*"), nil, entries("10.0.0.0/8")))},
	{"ReplaceShown tenants/acme/*", write(ReplaceShown(place("tenants/acme/*"), entries("10.0.0.0/8")))},
	{"Clear tenants/acme/*", write(Clear(place("tenants/acme/*")))},
	{"Add tenants/acme/*", write(Add(place("tenants/acme/*"), entries("10.0.0.9")...))},
	{"Remove tenants/acme/*", write(Remove(place("tenants/acme/*"), Which{Range: entries("10.0.0.0/16")[0].Range}))},
	{"Patch tenants/acme/*", write(Patch(place("tenants/acme/*"), Which{Range: entries("10.0.0.0/16")[0].Range}, func(e *policy.Entry) { e.Comment = "x" }))},
	{"SetState tenants/acme/*", write(SetState(place("tenants/acme/*"), policy.ListMonitor))},
	{"Delete tenants/acme/*", write(Delete(place("tenants/acme/*")))},
	{"Describe acme", write(Describe("acme", func(*policy.TenantRecord) {}))},
	{"Describe acme-otherwise", write(Describe("acme", func(r *policy.TenantRecord) { r.Name = "ACME" }))},
	{"Describe staff", write(Describe("staff", func(*policy.TenantRecord) {}))},
	{"Restate tenants/acme/*", write(Restate(place("tenants/acme/*"), policy.ListOn, entries("10.0.0.0/8")))},
	{"Adopt tenants/acme/*", write(Adopt(place("tenants/acme/*")))},
	{"Release tenants/acme/*", func(ctx context.Context, w *world, c *Call) error {
		_, err := w.Release(ctx, c, place("tenants/acme/*"), "", func() error { return nil })
		return err
	}},
	{"EditTenant name", write(EditTenant("acme", func(r *policy.TenantRecord) { r.Name = "Acme" }))},
	{"EditTenant self-service", write(EditTenant("acme", func(r *policy.TenantRecord) { r.StaffOnly = true }))},
	{"EditTenant hosts", write(EditTenant("acme", func(r *policy.TenantRecord) { r.Hosts = []string{"x.example.com"} }))},
	{"EditTenant attributes", write(EditTenant("acme", func(r *policy.TenantRecord) { r.Attributes = []byte("{}") }))},
	{"EditTenant users", write(EditTenant("acme", func(r *policy.TenantRecord) { r.Users = nil }))},
	{"EditTenant a-new-one", write(EditTenant("initech", func(*policy.TenantRecord) {}))},
	{"Ensure acme", write(Ensure("acme", ""))},
	{"Ensure acme/1", write(Ensure("acme", "1"))},
	{"Ensure acme/new", write(Ensure("acme", "new"))},
	{"Ensure nobody", write(Ensure("nobody", ""))},
	{"Replace making-user", write(Replace(place("tenants/acme/users/new/dataAccess"), nil, entries("10.0.0.0/8")).Making())},
	{"Replace making-tenant", write(Replace(place("tenants/nobody/*"), nil, entries("10.0.0.0/8")).Making())},
	{"DeleteTenant with-hosts", write(DeleteTenant("acme"))},
	{"DeleteTenant plain", write(DeleteTenant("staff"))},
	{"PutUser acme", write(PutUser("acme", "3", "carol"))},
	{"DeleteUser acme", write(DeleteUser("acme", "1"))},
	{"PutEndpoint new", write(PutEndpoint(&policy.Endpoint{Name: "new", Resource: "*", Ports: []policy.PortRange{{First: 9000, Last: 9000}}}))},
	{"DeleteEndpoint acme-data", write(DeleteEndpoint("acme-data"))},
	{"Secure acme-data", write(Secure("acme-data", func(ep *policy.Endpoint, _ Moment) error { ep.Policies = nil; return nil }))},
	{"Switch off", write(Switch(true))},
	{"Write nothing", write()},
	{"Rollback everything", func(ctx context.Context, w *world, c *Call) error {
		_, err := w.Rollback(ctx, c, 1, Part{})
		return err
	}},
	{"Rollback tenants/staff", func(ctx context.Context, w *world, c *Call) error {
		_, err := w.Rollback(ctx, c, 1, Part{Tenant: "staff"})
		return err
	}},
	{"Rollback tenants/acme", func(ctx context.Context, w *world, c *Call) error {
		_, err := w.Rollback(ctx, c, 1, Part{Tenant: "acme"})
		return err
	}},
	{"Rollback tenants/acme/*", func(ctx context.Context, w *world, c *Call) error {
		at := place("tenants/acme/*")
		_, err := w.Rollback(ctx, c, 1, Part{List: &at})
		return err
	}},
	{"Rollback to-come", func(ctx context.Context, w *world, c *Call) error {
		_, err := w.Rollback(ctx, c, 99, Part{Tenant: "acme"})
		return err
	}},
	{"Confirm acme's", func(ctx context.Context, w *world, c *Call) error {
		pending := root()
		pending.Confirm = time.Minute
		r := w.write(pending, Add(place("tenants/acme/*"), entries("10.0.0.9")...))
		c.Since = w.at.Add(time.Minute)
		return w.Confirm(ctx, c, r.Revision)
	}},
	{"Confirm system's", func(ctx context.Context, w *world, c *Call) error {
		pending := root()
		pending.Confirm = time.Minute
		r := w.write(pending, Add(place("system/managementAPI"), entries("10.0.0.9")...))
		c.Since = w.at.Add(time.Minute)
		return w.Confirm(ctx, c, r.Revision)
	}},
	{"Plan tenants/acme/*", plan(Delete(place("tenants/acme/*")))},
	{"Plan hosts", plan(EditTenant("acme", func(r *policy.TenantRecord) { r.Hosts = []string{"globex.example.com"} }))},
	{"Plan users", plan(PutUser("acme", "1", "al"))},
	{"Plan making-tenant", plan(Replace(place("tenants/nobody/*"), nil, entries("10.0.0.0/8")).Making())},
	{"Plan system/managementAPI", plan(Delete(place("system/managementAPI")))},
	{"Explain the-system", func(_ context.Context, w *world, c *Call) error {
		_, err := w.Explain(c, Question{Query: policy.Query{Addr: c.From}})
		return err
	}},
	{"Explain acme", func(_ context.Context, w *world, c *Call) error {
		_, err := w.Explain(c, Question{Query: policy.Query{Addr: c.From, Tenant: "acme"}, At: "acme-data"})
		return err
	}},
	{"Explain user-1", func(_ context.Context, w *world, c *Call) error {
		_, err := w.Explain(c, Question{Query: policy.Query{Addr: c.From, Tenant: "acme", User: "1", Resource: "dataAccess"}})
		return err
	}},
	{"ExplainProposed acme", func(ctx context.Context, w *world, c *Call) error {
		_, err := w.ExplainProposed(ctx, c, Question{Query: policy.Query{Addr: c.From, Tenant: "acme"}}, Delete(place("tenants/acme/*")))
		return err
	}},
	{"Lists all", func(_ context.Context, w *world, c *Call) error { _, _, err := w.Lists(c, ListQuery{}); return err }},
	{"List system/managementAPI", list("system/managementAPI")},
	{"List tenants/acme/*", list("tenants/acme/*")},
	{"List tenants/acme/dataAccess", list("tenants/acme/dataAccess")},
	{"List tenants/acme/users/1/dataAccess", list("tenants/acme/users/1/dataAccess")},
	{"List endpoints/acme-data", list("endpoints/acme-data")},
	{"List tenants/staff/*", list("tenants/staff/*")},
	{"List tenants/nobody/*", list("tenants/nobody/*")},
	{"Tenants all", func(_ context.Context, w *world, c *Call) error { _, _, err := w.Tenants(c, Page{}); return err }},
	{"Tenant acme", func(_ context.Context, w *world, c *Call) error { _, err := w.Tenant(c, "acme"); return err }},
	{"Tenant nobody", func(_ context.Context, w *world, c *Call) error { _, err := w.Tenant(c, "nobody"); return err }},
	{"User acme/1", func(_ context.Context, w *world, c *Call) error { _, err := w.User(c, "acme", "1"); return err }},
	{"Endpoints all", func(_ context.Context, w *world, c *Call) error { _, _, err := w.Endpoints(c, Page{}); return err }},
	{"Endpoint acme-data", func(_ context.Context, w *world, c *Call) error { _, err := w.Endpoint(c, "acme-data"); return err }},
	{"Endpoint shared", func(_ context.Context, w *world, c *Call) error { _, err := w.Endpoint(c, "shared"); return err }},
	{"Switched or-not", func(_ context.Context, w *world, c *Call) error { _, _, err := w.Switched(c); return err }},
	{"Export all", func(_ context.Context, w *world, c *Call) error { _, err := w.Export(c, ""); return err }},
	{"Export acme", func(_ context.Context, w *world, c *Call) error { _, err := w.Export(c, "acme"); return err }},
	{"History own", func(_ context.Context, w *world, c *Call) error { _, err := w.History(c, HistoryQuery{}); return err }},
	{"History acme", func(_ context.Context, w *world, c *Call) error {
		_, err := w.History(c, HistoryQuery{Tenant: "acme"})
		return err
	}},
	{"Commit acme's", func(_ context.Context, w *world, c *Call) error {
		r := w.write(root(), Add(place("tenants/acme/*"), entries("10.0.0.9")...))
		_, err := w.Commit(c, r.Revision)
		return err
	}},
	{"Commit system's", func(_ context.Context, w *world, c *Call) error {
		r := w.write(root(), Add(place("system/managementAPI"), entries("10.0.0.9")...))
		_, err := w.Commit(c, r.Revision)
		return err
	}},
	{"Diff acme", func(_ context.Context, w *world, c *Call) error {
		_, err := w.Diff(c, 0, 1, Part{Tenant: "acme"})
		return err
	}},
	{"Audit own", func(ctx context.Context, w *world, c *Call) error {
		_, err := w.Audit(ctx, c, audit.Query{})
		return err
	}},
	{"Audit acme", func(ctx context.Context, w *world, c *Call) error {
		_, err := w.Audit(ctx, c, audit.Query{Tenant: "acme"})
		return err
	}},
	{"Keys all", func(_ context.Context, w *world, c *Call) error { _, _, err := w.Keys(c, access.Query{}); return err }},
	{"Key acme's", func(_ context.Context, w *world, c *Call) error { _, err := w.Key(c, w.acmeKey()); return err }},
	{"Key staff's", func(_ context.Context, w *world, c *Call) error { _, err := w.Key(c, w.staffKey()); return err }},
	{"Key nobody's", func(_ context.Context, w *world, c *Call) error { _, err := w.Key(c, "none"); return err }},
	{"CreateKey of-acme", func(_ context.Context, w *world, c *Call) error {
		_, _, err := w.CreateKey(c, access.Key{Name: "n", Role: access.TenantAdmin, Tenant: "acme"})
		return err
	}},
	{"CreateKey of-staff", func(_ context.Context, w *world, c *Call) error {
		_, _, err := w.CreateKey(c, access.Key{Name: "n", Role: access.Reader})
		return err
	}},
	{"UpdateKey acme's", func(_ context.Context, w *world, c *Call) error {
		_, err := w.UpdateKey(c, w.acmeKey(), func(k *access.Key) error { k.Description = "x"; return nil })
		return err
	}},
	{"UpdateKey up", func(_ context.Context, w *world, c *Call) error {
		_, err := w.UpdateKey(c, w.acmeKey(), func(k *access.Key) error { k.Role, k.Tenant = access.Admin, ""; return nil })
		return err
	}},
	{"DeleteKey acme's", func(_ context.Context, w *world, c *Call) error { return w.DeleteKey(c, w.acmeKey()) }},
	{"Token own", func(_ context.Context, w *world, c *Call) error { _, err := w.Token(c, 0); return err }},
	{"PortToken own", func(_ context.Context, w *world, c *Call) error { _, err := w.PortToken(c); return err }},
	{"Permit status", func(_ context.Context, w *world, c *Call) error { return w.Permit(c, access.ReadStatus, whole) }},
	{"Permit reload", func(_ context.Context, w *world, c *Call) error { return w.Permit(c, access.ReloadFiles, whole) }},
	{"Do status", func(_ context.Context, w *world, c *Call) error { return w.Do(c, access.ReadStatus, nothing) }},
	{"Do reload", func(_ context.Context, w *world, c *Call) error { return w.Do(c, access.ReloadFiles, nothing) }},
}

func nothing() error { return nil }

func write(changes ...Change) func(context.Context, *world, *Call) error {
	return func(ctx context.Context, w *world, c *Call) error {
		c.Force = true
		_, err := w.Write(ctx, c, changes...)
		return err
	}
}

func plan(changes ...Change) func(context.Context, *world, *Call) error {
	return func(ctx context.Context, w *world, c *Call) error {
		_, err := w.Plan(ctx, c, changes...)
		return err
	}
}

func list(name string) func(context.Context, *world, *Call) error {
	return func(_ context.Context, w *world, c *Call) error {
		_, err := w.List(c, place(name))
		return err
	}
}

func (w *world) acmeKey() string {
	return w.as(access.Key{Name: "acme's", Role: access.TenantAdmin, Tenant: "acme"}, "10.0.0.1").Caller.ID
}

func (w *world) staffKey() string {
	return w.as(access.Key{Name: "staff's", Role: access.Admin}, "10.0.0.1").Caller.ID
}

// TestPermissions holds every operation by every kind of caller to
// testdata/permissions.txt: "yes", "no" where it is refused for want of rights,
// "-" where there is nothing of that name, as far as the caller may know.
func TestPermissions(t *testing.T) {
	written, err := os.ReadFile("testdata/permissions.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(written)) {
		fields := strings.Fields(line)
		if len(fields) > 2 {
			want[strings.Join(fields[:2], " ")] = strings.Join(fields[2:], " ")
		}
	}
	var names []string
	for _, caller := range callers {
		names = append(names, caller.name)
	}
	if header := strings.Join(names, " "); want["operation on"] != header {
		t.Fatalf("the table is of %q, want %q", want["operation on"], header)
	}
	for _, op := range operations {
		var got []string
		for _, caller := range callers {
			w := newWorld(t, acme())
			got = append(got, outcome(op.do(t.Context(), w, caller.call(w))))
		}
		if cells := strings.Join(got, " "); want[op.name] != cells {
			t.Errorf("%s:\ngot:  %s\nwant: %s", op.name, row(op.name, got), row(op.name, strings.Fields(want[op.name])))
		}
		delete(want, op.name)
	}
	delete(want, "operation on")
	for name := range want {
		t.Errorf("%s is written down, and nothing tries it", name)
	}
}

func row(name string, cells []string) string {
	line := fmt.Sprintf("%-45s", name)
	for i, cell := range cells {
		line += fmt.Sprintf(" %-*s", len(callers[i].name), cell)
	}
	return strings.TrimRight(line, " ")
}

func outcome(err error) string {
	switch kind := kindOf(err); {
	case err == nil:
		return "yes"
	case kind == Forbidden:
		return "no"
	case kind == NotFound:
		return "-"
	default:
		return "(" + err.Error() + ")"
	}
}

// harmless are exported and decide nothing: what they tell is in every answer, or
// is the journal's.
var harmless = []string{"Table", "Revision", "Refused", "MaxEntries"}

// TestEveryOperationIsTried finds what is exported and asked of a Service: none of
// it is left out of the table.
func TestEveryOperationIsTried(t *testing.T) {
	tried := slices.Clone(harmless)
	for _, op := range operations {
		name, _, _ := strings.Cut(op.name, " ")
		tried = append(tried, name)
	}
	found := 0
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() || !asks(f) {
				continue
			}
			found++
			if !slices.Contains(tried, f.Name.Name) {
				t.Errorf("%s is tried by nobody", f.Name.Name)
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d operations were found", found)
	}
}

// asks reports whether f is a method of Service, or makes a Change.
func asks(f *ast.FuncDecl) bool {
	if f.Recv != nil {
		star, ok := f.Recv.List[0].Type.(*ast.StarExpr)
		return ok && star.X.(*ast.Ident).Name == "Service"
	}
	if f.Type.Results == nil {
		return false
	}
	made, ok := f.Type.Results.List[0].Type.(*ast.Ident)
	return ok && made.Name == "Change"
}

// What Do is asked to do and cannot is told like any refusal, and journalled.
func TestDo(t *testing.T) {
	w := newWorld(t, acme())
	c := w.as(access.Key{Name: "staff", Role: access.Admin}, "10.0.0.1")
	err := w.Do(c, access.ReloadFiles, func() error { return &policy.Owned{What: "list system/*", File: "a.yaml"} })
	if kindOf(err) != FileOwned {
		t.Errorf("error = %v", err)
	}
	if got := w.log.refused; len(got) != 1 || got[0].Action != "files:reload" || got[0].Error != "list system/* stands in a.yaml" {
		t.Errorf("the journal was told %+v", got)
	}
}
