package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/policy"
)

// Mistake is one thing wrong with a key that was written. Field is the key's
// JSON name for it, as in "permissions[1]"; a dialect has its own.
type Mistake struct{ Field, What, Remedy string }

// Mistakes are all of one key. As an error they stand a line each.
type Mistakes []Mistake

func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.Field + ": " + m.What
		if m.Remedy != "" {
			lines[i] += "; " + m.Remedy
		}
	}
	return strings.Join(lines, "\n")
}

// err is ms as an error, nil where there are none.
func (ms Mistakes) err() error {
	if len(ms) == 0 {
		return nil
	}
	return ms
}

func (ms *Mistakes) add(field, remedy, format string, args ...any) {
	*ms = append(*ms, Mistake{field, fmt.Sprintf(format, args...), remedy})
}

// check finds what is wrong with k by itself.
func (k *Key) check() Mistakes {
	var ms Mistakes
	ms.name(k.Name)
	ms.text("description", k.Description, 0)
	oneOf(&ms, "type", k.Type, []Type{Permanent, Session})
	oneOf(&ms, "status", k.Status, []Status{Active, Blocked, Archived})
	ms.owner(k)
	ms.role(k)
	ms.permissions(k)
	return ms
}

func (ms *Mistakes) name(name string) {
	if strings.Contains(name, ":") {
		ms.add("name", "leave the colon out: HTTP Basic ends a name there", "%q has a colon", name)
	}
	ms.text("name", name, 1)
}

// reserved reports whether a name reads as that of a caller or author who has no
// key.
func reserved(name string) bool {
	name = strings.ToLower(strings.TrimSpace(name))
	uid, ok := strings.CutPrefix(name, "uid ")
	return ok && strings.Trim(uid, " 0123456789") == "" || slices.Contains([]string{"root", "files", "postern"}, name)
}

func (ms *Mistakes) text(field, s string, least int) {
	if len(s) < least {
		ms.add(field, "", "is missing")
	}
	if what, remedy := policy.WrongText(s, policy.MaxName); what != "" {
		ms.add(field, remedy, "%s", what)
	}
}

func oneOf[T ~string](ms *Mistakes, field string, is T, known []T) {
	if slices.Contains(known, is) {
		return
	}
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = string(k)
	}
	ms.add(field, nearest(string(is), names, "use "+strings.Join(names, ", ")), "%q is unknown", is)
}

func (ms *Mistakes) owner(k *Key) {
	const remedy = "use letters, digits and . _ -, at most 64, a letter or digit first"
	if k.Tenant != "" && !policy.ValidID(k.Tenant) {
		ms.add("tenant", remedy, "%q is no id", k.Tenant)
	}
	if k.User != "" && !policy.ValidID(k.User) {
		ms.add("user", remedy, "%q is no id", k.User)
	}
	if k.User != "" && k.Tenant == "" {
		ms.add("tenant", "name the user's tenant", "is missing")
	}
}

func (ms *Mistakes) role(k *Key) {
	if k.Role == "" {
		return
	}
	if !slices.Contains(Roles, k.Role) {
		oneOf(ms, "role", k.Role, Roles)
		return
	}
	scopes := k.Role.scopes()
	if slices.Contains(scopes, reachOf(k.Tenant, k.User).scope) {
		return
	}
	remedy := "leave tenant and user out"
	switch scopes[len(scopes)-1] {
	case policy.ScopeTenant:
		remedy = "name a tenant, and no user"
	case policy.ScopeUser:
		remedy = "name a tenant and its user"
	}
	ms.add("role", remedy, "%s is not for %s", k.Role, boundTo(k))
}

func boundTo(k *Key) string {
	switch reachOf(k.Tenant, k.User).scope {
	case policy.ScopeTenant:
		return "a key of a tenant"
	case policy.ScopeUser:
		return "a key of a user"
	}
	return "a key without a tenant"
}

// maxPermissions of a key are weighed with every request that it makes.
const maxPermissions = 100

func (ms *Mistakes) permissions(k *Key) {
	if n := len(k.Permissions); n > maxPermissions {
		ms.add("permissions", fmt.Sprintf("use at most %d", maxPermissions), "there are %d", n)
		return
	}
	for i, text := range k.Permissions {
		field := fmt.Sprintf("permissions[%d]", i)
		p, wrong := parsePermission(text)
		if wrong != nil {
			ms.add(field, wrong.remedy, "%s", wrong.what)
		} else if why := p.misfit(k); why != "" {
			ms.add(field, "", "%s %s", text, why)
		} else if slices.Contains(k.Permissions[:i], text) {
			ms.add(field, "keep one of them", "%s stands there already", text)
		}
	}
}
