package v1

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestPlainListNames(t *testing.T) {
	tests := []struct{ name, path, pattern, list string }{
		{"system", "/lists/system/*", "GET /api/v1/lists/{list}", "system/*"},
		{"endpoint", "/lists/endpoints/portal/entries", "GET /api/v1/lists/{list}/entries", "endpoints/portal"},
		{"tenant", "/lists/tenants/acme/*", "GET /api/v1/lists/{list}", "tenants/acme/*"},
		{"tenant-entries", "/lists/tenants/acme/*/entries", "GET /api/v1/lists/{list}/entries", "tenants/acme/*"},
		{"user", "/lists/tenants/acme/users/1/*", "GET /api/v1/lists/{list}", "tenants/acme/users/1/*"},
		{"user-export", "/lists/tenants/acme/users/1/*/export", "GET /api/v1/lists/{list}/export", "tenants/acme/users/1/*"},
		{"resource-called-users", "/lists/tenants/acme/users", "GET /api/v1/lists/{list}", "tenants/acme/users"},
		{"resource-called-users-entries", "/lists/tenants/acme/users/entries", "GET /api/v1/lists/{list}/entries", "tenants/acme/users"},
		{"escaped", "/lists/tenants%2Facme%2F%2A/entries", "GET /api/v1/lists/{list}/entries", "tenants/acme/*"},
		{"no-list", "/lists", "GET /api/v1/lists", ""},
		{"no-name", "/lists/globex/a/b", "", ""},
		{"too-short", "/lists/tenants/acme", "", ""},
		{"too-long", "/lists/system/webUI/entries/7", "", ""},
		{"elsewhere", "/tenants/acme/users", "GET /api/v1/tenants/{tenant}/users", ""},
	}
	var pattern, list string
	look := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			pattern, list = r.Pattern, r.PathValue("list")
		})
	}
	h := PlainListNames(HandlerWithOptions(nil, StdHTTPServerOptions{BaseURL: Base, Middlewares: []MiddlewareFunc{look}}))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pattern, list = "", ""
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", Base+tt.path, nil))
			if pattern != tt.pattern || list != tt.list {
				t.Errorf("pattern %q, list %q, want %q and %q", pattern, list, tt.pattern, tt.list)
			}
		})
	}
}

// FuzzEscapeListName holds that a path is written otherwise and still says the same.
func FuzzEscapeListName(f *testing.F) {
	f.Add("tenants/acme/users/1/*/entries")
	f.Add("system/%2F%2e%2e/")
	f.Fuzz(func(t *testing.T, name string) {
		path := Base + "/lists/" + name
		before, err := url.PathUnescape(path)
		if err != nil {
			t.Skip()
		}
		escaped, ok := escapeListName(path)
		if !ok {
			return
		}
		if after, err := url.PathUnescape(escaped); err != nil || after != before {
			t.Errorf("%q became %q, error %v", path, escaped, err)
		}
		if again, ok := escapeListName(escaped); ok && again != escaped {
			t.Errorf("%q became %q and then %q", path, escaped, again)
		}
	})
}
