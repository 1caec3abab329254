package trustx

import (
	"errors"
	"regexp"
	"strings"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

var hole = regexp.MustCompile(`\{[^{}]*\}`)

// hosts matches the hosts of a pattern, where {tenant} and other names in braces
// are one label each, or a part of one. The tenant is the first submatch. A port
// and the dot that ends a name say nothing.
func hosts(pattern string) *regexp.Regexp {
	var b strings.Builder
	rest := pattern
	for _, name := range hole.FindAllString(pattern, -1) {
		fixed, after, _ := strings.Cut(rest, name)
		b.WriteString(regexp.QuoteMeta(fixed))
		if name == "{tenant}" {
			b.WriteString(`([^.:]+)`)
		} else {
			b.WriteString(`[^.:]+`)
		}
		rest = after
	}
	b.WriteString(regexp.QuoteMeta(rest))
	return regexp.MustCompile(`(?i)^` + b.String() + `\.?(?::[0-9]+)?$`)
}

// tenant is the one that a host names. Hosts have no case and ids have: the host
// is taken as it was written if that is a tenant, and in lower case otherwise.
func (d *Dialect) tenant(host string) (string, error) {
	m := d.hosts.FindStringSubmatch(host)
	if m == nil {
		return "", &control.Refusal{
			Kind: control.NotFound, What: "host " + host + " is no tenant's", Remedy: "call one of the form " + d.pattern,
		}
	}
	id := m[1]
	if known(d.control.Table(), id) != nil {
		id = strings.ToLower(id)
	}
	if !policy.ValidID(id) {
		return "", noTenant(id)
	}
	return id, nil
}

// unnamed is a refusal without the tenant's id, for whom is not of that tenant: how
// it is written would tell whether there is one that is written so. What is wrong
// with a key is told: whoever may make one knows the tenant.
func unnamed(err error, host string, who *access.Caller, tenant string) error {
	of := access.Target{Scope: policy.ScopeTenant, Tenant: tenant}
	no, ok := errors.AsType[*control.Refusal](err)
	if !ok || no.Kind != control.Forbidden || no.Mistakes != nil || who.Tenant == tenant || who.May(access.ReadTenants, of) {
		return err
	}
	return &control.Refusal{Kind: control.Forbidden, What: who.Name + " may not do this at host " + host}
}

// known refuses a tenant that there is not. Whoever may not know has been refused
// before.
func known(t *policy.Table, id string) error {
	if t == nil || !t.State.HasTenant(id) {
		return noTenant(id)
	}
	return nil
}

func noTenant(id string) error {
	return &control.Refusal{Kind: control.NotFound, What: (&policy.Unknown{What: "tenant", Name: id}).Error()}
}
