package v1

import (
	"net/http"
	"net/url"
	"strings"
)

// PlainListNames lets next, which takes the name of a list as one segment of the
// path, be asked for it with plain slashes too: /lists/system/webUI/entries is
// /lists/system%2FwebUI/entries.
func PlainListNames(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if escaped, ok := escapeListName(r.URL.EscapedPath()); ok {
			u := *r.URL
			u.RawPath = escaped // of the same Path: only slashes are written otherwise
			asked := *r
			asked.URL = &u
			r = &asked
		}
		next.ServeHTTP(w, r)
	})
}

// escapeListName writes the name of a list in a path as one segment; not ok says
// that the path has none in several.
func escapeListName(path string) (escaped string, ok bool) {
	const lists = Base + "/lists/"
	rest, ok := strings.CutPrefix(path, lists)
	if !ok {
		return "", false
	}
	part := strings.Split(rest, "/")
	n := nameLen(part)
	if n < 2 || n > len(part) {
		return "", false
	}
	name := strings.Join(part[:n], url.PathEscape("/"))
	return lists + strings.Join(append([]string{name}, part[n:]...), "/"), true
}

// nameLen is how many segments make the name. A tenant's list has three, a user's
// five; what may follow a name is a single segment, so that no list of a tenant's
// for a resource called users is taken for a user's.
func nameLen(part []string) int {
	switch {
	case part[0] == "system", part[0] == "endpoints":
		return 2
	case part[0] != "tenants":
		return 1
	case len(part) >= 5 && part[2] == "users":
		return 5
	}
	return 3
}
