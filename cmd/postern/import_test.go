package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func typedImports(t *testing.T) []typed {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"offices.csv": "address\n203.0.113.0/24\nx\n", "shop.yaml": shop, "admin.yaml": admin} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	csv, shopFile, adminFile := filepath.Join(dir, "offices.csv"), filepath.Join(dir, "shop.yaml"), filepath.Join(dir, "admin.yaml")
	const body = "address\n203.0.113.0/24\nx"
	const bad = `{"line":2,"verdict":"added","address":"203.0.113.0/24"}` + "\n" + `{"line":3,"verdict":"bad","address":"x","what":"not an IP address","remedy":"write one"}` + "\n"
	const asks = `{"changes":[{"entries":[{"address":"10.0.0.0/8","comment":"prod/shop"},{"action":"deny","address":"10.6.6.6","comment":"prod/shop"}],"list":"tenants/acme/*","op":"add"}]}`
	return []typed{
		{
			name: "lines",
			args: []string{"import", "-", "--list", "tenants/acme/*", "--replace"},
			in:   "203.0.113.0/24 # Paris",
			script: []exchange{{
				ask: "POST /lists/tenants%2Facme%2F%2A/import?mode=all-or-nothing&replace=true\n203.0.113.0/24 # Paris",
				say: `{"line":1,"verdict":"added","address":"203.0.113.0/24"}` + "\n" + `{"summary":{"applied":true,"lines":1,"added":1,"same":0,"bad":0,"removed":3,"revision":42}}` + "\n",
			}},
			out: "revision 42 changes\ntenants/acme/*: 1 added, 3 removed, 0 there already, 0 bad, of 1 lines\n",
		},
		{
			name: "only-tried",
			args: []string{"import", "-", "--list", "tenants/acme/*", "--dry-run", "--format", "json"},
			in:   "[]",
			script: []exchange{{
				ask: "POST /lists/tenants%2Facme%2F%2A/import?dryRun=true&mode=all-or-nothing\n[]",
				say: `{"line":1,"verdict":"added"}` + "\n" + `{"summary":{"applied":false,"lines":1,"added":1,"same":0,"bad":0}}` + "\n",
			}},
			out: "tenants/acme/*: 1 would be added, 0 there already, 0 bad, of 1 lines\n",
		},
		{
			name: "bad-line",
			args: []string{"import", csv, "--list", "tenants/acme/*"},
			script: []exchange{{
				ask: "POST /lists/tenants%2Facme%2F%2A/import?mode=all-or-nothing\n" + body,
				say: bad + `{"summary":{"applied":false,"lines":2,"added":1,"same":0,"bad":1}}` + "\n",
			}},
			errs: csv + ":3: not an IP address; write one\npostern: import: 1 of 2 lines are bad, and nothing was imported; leave them out with --skip-bad\n",
			code: 1,
		},
		{
			name: "bad-line-skipped",
			args: []string{"import", csv, "--list", "tenants/acme/*", "--skip-bad"},
			script: []exchange{{
				ask: "POST /lists/tenants%2Facme%2F%2A/import?mode=skip-bad\n" + body,
				say: bad + `{"summary":{"applied":true,"lines":2,"added":1,"same":0,"bad":1,"revision":42}}` + "\n",
			}},
			out:  "revision 42 changes\ntenants/acme/*: 1 added, 0 there already, 1 bad, of 2 lines\n",
			errs: csv + ":3: not an IP address; write one\n",
		},
		{
			name: "refused-at-the-end",
			args: []string{"import", csv, "--list", "tenants/acme/*", "-o", "json"},
			script: []exchange{{
				ask: "POST /lists/tenants%2Facme%2F%2A/import?mode=all-or-nothing\n" + body,
				say: `{"line":2,"verdict":"same"}` + "\n" + `{"summary":{"applied":false,"lines":1,"added":0,"same":1,"bad":0,"refusal":` + refusal("full", "it has 10001 entries") + `}}` + "\n",
			}},
			out: `{"line":2,"verdict":"same"}` + "\n" +
				`{"summary":{"added":0,"applied":false,"bad":0,"lines":1,"refusal":{"detail":"it has 10001 entries","instance":"/","status":409,"title":"No","trace":"1","type":"urn:postern:full"},"same":1}}` + "\n",
			errs: "postern: it has 10001 entries\n",
			code: 1,
		},
		{
			name: "cut-short",
			args: []string{"import", csv, "--list", "tenants/acme/*"},
			script: []exchange{{
				ask: "POST /lists/tenants%2Facme%2F%2A/import?mode=all-or-nothing\n" + body,
				say: `{"line":2,"verdict":"same"}` + "\n",
			}},
			errs: "postern: read what came of the import: unexpected EOF\n",
			code: 1,
		},
		{
			name: "manifests",
			args: []string{"import", "--ingress-nginx", shopFile, "--host", "www.example.com=acme"},
			script: []exchange{
				{ask: "GET /tenants?limit=1000&q=shop.example.com", say: `{"tenants":[{"id":"other","hosts":["myshop.example.com"],"selfService":true,"users":0,"lists":0,"etag":"\"o\""},` + strings.Replace(acme, "acme.example.com", "Shop.example.com", 1) + `]}`},
				{ask: "POST /apply?dryRun=true&force=true\n" + asks, say: would(plan)},
				{ask: "POST /apply\n" + asks, say: wrote},
			},
			out:  "it would change\n" + planText + wroteText,
			errs: shopFile + ":16: warning: ingress free: it restricts nobody, so nothing is taken from it\ntenants/acme/*: 2 from ingress prod/shop\n",
		},
		{
			name: "manifests-that-clash",
			args: []string{"import", "--ingress-nginx", "--tenant", "acme", shopFile, adminFile},
			errs: adminFile + ":4: ingress admin: it lets others in than prod/shop, and both are for tenants/acme/*; give them different tenants, or import one of them\n" +
				shopFile + ":16: warning: ingress free: it restricts nobody, so nothing is taken from it\n" +
				"postern: import: nothing was imported; leave out what could not be taken with --skip-bad\n",
			code: 1,
		},
		{
			name:   "manifests-of-nobody",
			args:   []string{"import", "--ingress-nginx", adminFile, "--skip-bad"},
			script: []exchange{{ask: "GET /tenants?limit=1000&q=admin.example.com", say: `{"tenants":[]}`}},
			errs: adminFile + ":4: ingress admin: no tenant is known by the host admin.example.com; say --host HOST=TENANT or --tenant\n" +
				"postern: import: no ingress restricts who may come\n",
			code: 1,
		},
	}
}

const (
	shop = `
kind: Ingress
metadata:
  name: shop
  namespace: prod
  annotations:
    nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8
    nginx.ingress.kubernetes.io/denylist-source-range: 10.6.6.6
spec:
  rules:
    - host: shop.example.com
    - host: www.example.com
---
kind: Ingress
metadata:
  name: free
spec: {rules: [{host: free.example.com}]}
`
	admin = `
kind: Ingress
metadata:
  name: admin
  annotations: {nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.1}
spec: {rules: [{host: admin.example.com}]}
`
)

// Who watches sees how far an import is, and no trace of it after.
func TestImportShowsProgress(t *testing.T) {
	var errs strings.Builder
	v := &verdicts{console: &console{out: &strings.Builder{}, err: &errs, watched: true}, file: "a.txt", form: text}
	_, err := v.read(strings.NewReader(`{"line":1,"verdict":"added"}` + "\n" + `{"line":2,"verdict":"bad","what":"no"}` + "\n" + `{"summary":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := "\r1 lines, 0 of them bad" + "\r\x1b[K" + "a.txt:2: no\n" + "\r2 lines, 1 of them bad" + "\r\x1b[K"
	if diff := cmp.Diff(want, errs.String()); diff != "" {
		t.Error(diff)
	}
}

// What an import takes away is shown on a terminal, and nothing goes without a yes.
func TestImportAsks(t *testing.T) {
	d := readDocument(t)
	file := filepath.Join(t.TempDir(), "offices.txt")
	if err := os.WriteFile(file, []byte("192.0.2.7"), 0o600); err != nil {
		t.Fatal(err)
	}
	to := func(query, summary string) exchange {
		return exchange{
			ask: "POST /lists/tenants%2Facme%2F%2A/import?" + query + "mode=all-or-nothing&replace=true\n192.0.2.7",
			say: `{"line":1,"verdict":"added"}` + "\n" + `{"summary":{"lines":1,"added":1,"same":0,"bad":0,` + summary + `}}` + "\n",
		}
	}
	tried := to("dryRun=true&", `"applied":false,"removed":3`)
	const would = "tenants/acme/*: 1 would be added, 3 would be removed, 0 there already, 0 bad, of 1 lines\n"
	args := []string{"import", file, "--list", "tenants/acme/*", "--replace"}
	for _, tt := range []typed{
		{
			name: "yes", args: args, in: "y\n",
			script: []exchange{tried, to("", `"applied":true,"removed":3,"revision":42`)},
			out:    would + "revision 42 changes\ntenants/acme/*: 1 added, 3 removed, 0 there already, 0 bad, of 1 lines\n",
			errs:   "make this change? [y/N] ",
		},
		{
			name: "no", args: args, in: "\n", script: []exchange{tried},
			out: would, errs: "make this change? [y/N] postern: nothing was changed\n", code: 1,
		},
		{
			name: "not-asked", args: append(args, "-y"), script: []exchange{to("", `"applied":true`)},
			out: "nothing changes\ntenants/acme/*: 1 added, 0 there already, 0 bad, of 1 lines\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, d, func(c *console) { c.interactive = true }) })
	}
}
