package main

import (
	"os"
	"path/filepath"
	"testing"
)

const wholeList = `{"name":"tenants/acme/*","scope":"tenant","tenant":"acme","resource":"*","state":"monitor","etag":"\"9f86\"","counts":{"entries":3,"live":1,"expired":1,"disabled":1},"entries":[` +
	`{"address":"203.0.113.0/24","canonical":"203.0.113.0/24","action":"allow","enabled":true,"live":true,"comment":"Paris","author":"root"},` +
	`{"address":"192.0.2.1","canonical":"192.0.2.1","action":"deny","enabled":false,"live":false},` +
	`{"address":"192.0.2.7","canonical":"192.0.2.7","action":"allow","enabled":true,"live":false,"expires":"2026-01-31T00:00:00Z"}]}`

func typedLists(t *testing.T) []typed {
	t.Helper()
	file := filepath.Join(t.TempDir(), "offices.txt")
	if err := os.WriteFile(file, []byte("203.0.113.0/24 # Paris\n\n# nobody else\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []typed{
		{
			name: "all-pages",
			args: []string{"lists", "--tenant", "acme"},
			script: []exchange{
				{ask: "GET /lists?limit=1000&tenant=acme", say: `{"lists":[{"name":"tenants/acme/*","scope":"tenant","state":"on","entries":2,"live":1,"expired":1,"disabled":0}],"next":"c"}`},
				{ask: "GET /lists?cursor=c&limit=1000&tenant=acme", say: `{"lists":[{"name":"tenants/acme/webUI","scope":"tenant","state":"off","entries":0,"live":0,"expired":0,"disabled":0,"owner":"/a.yaml","orphaned":true}]}`},
			},
			out: "LIST                STATE  ENTRIES  LIVE  EXPIRED  DISABLED  OWNER\n" +
				"tenants/acme/*      on     2        1     1        0         store\n" +
				"tenants/acme/webUI  off    0        0     0        0         /a.yaml (gone)\n",
		},
		{
			name:   "show",
			args:   []string{"lists", "show", "tenants/acme/*"},
			script: []exchange{{ask: "GET /lists/tenants%2Facme%2F%2A", say: wholeList}},
			out: "list   tenants/acme/*\nstate  monitor\nowner  store\netag   \"9f86\"\n\n" +
				"ENTRY           ACTION  COUNTS    EXPIRES               AUTHOR  COMMENT\n" +
				"203.0.113.0/24  allow   yes       -                     root    Paris\n" +
				"192.0.2.1       deny    disabled  -                     -       -\n" +
				"192.0.2.7       allow   expired   2026-01-31T00:00:00Z  -       -\n",
		},
		{
			name:   "add",
			args:   []string{"lists", "add", "tenants/acme/*", "203.0.113.0/24", "192.0.2.1 - 192.0.2.9", "--comment", "Paris", "--deny", "--expires", "2027-01-31T00:00:00Z", "--reason", "new office"},
			script: []exchange{{ask: "POST /lists/tenants%2Facme%2F%2A/entries?reason=new+office\n" + `{"entries":[{"action":"deny","address":"203.0.113.0/24","comment":"Paris","expires":"2027-01-31T00:00:00Z"},{"action":"deny","address":"192.0.2.1 - 192.0.2.9","comment":"Paris","expires":"2027-01-31T00:00:00Z"}]}`, say: wrote}},
			out:    wroteText,
		},
		{
			name:   "remove",
			args:   []string{"lists", "remove", "tenants/acme/*", "203.0.113.0/24", "192.0.2.7", "--deny", "--confirm", "90s"},
			script: []exchange{{ask: "DELETE /lists/tenants%2Facme%2F%2A/entries?action=deny&address=203.0.113.0%2F24&address=192.0.2.7&confirm=1m30s", say: wrote}},
			out:    wroteText,
		},
		{
			name:   "change",
			args:   []string{"lists", "change", "tenants/acme/*", "192.0.2.7", "--comment", "", "--never-expires", "--enabled=false", "--confirm", "1d"},
			script: []exchange{{ask: "PATCH /lists/tenants%2Facme%2F%2A/entries?address=192.0.2.7&confirm=24h0m0s\n" + `{"comment":"","enabled":false,"expires":null}`, say: wrote}},
			out:    wroteText,
		},
		{
			name: "clear-keeps-the-state",
			args: []string{"lists", "clear", "tenants/acme/*", "--force"},
			script: []exchange{
				{ask: "GET /lists/tenants%2Facme%2F%2A", say: wholeList},
				{ask: "PUT /lists/tenants%2Facme%2F%2A?force=true\n" + `{"state":"monitor","entries":[]}`, say: wrote},
			},
			out: wroteText,
		},
		{
			name: "set-from-lines-to-a-new-list",
			args: []string{"lists", "set", "tenants/acme/*", "-f", file},
			script: []exchange{
				{ask: "GET /lists/tenants%2Facme%2F%2A", status: 404, say: refusal("not-found", "there is none")},
				{ask: "PUT /lists/tenants%2Facme%2F%2A\n" + `{"entries":[{"address":"203.0.113.0/24","comment":"Paris"}]}`, say: wrote},
			},
			out: wroteText,
		},
		{
			name: "set-from-json",
			args: []string{"lists", "set", "tenants/acme/*", "-f", "-"},
			in:   `{"state": "on", "entries": ["192.0.2.7"]}`,
			script: []exchange{
				{ask: "GET /lists/tenants%2Facme%2F%2A", say: wholeList},
				{ask: "PUT /lists/tenants%2Facme%2F%2A\n" + `{"state":"on","entries":["192.0.2.7"]}`, say: wrote},
			},
			out: wroteText,
		},
		{
			name: "set-from-nothing",
			args: []string{"lists", "set", "tenants/acme/*", "-f", "-"},
			errs: "postern: -: it is empty; postern lists clear removes all entries\n",
			code: 1,
		},
		{
			name:   "state",
			args:   []string{"lists", "state", "tenants/acme/*", "off", "--dry-run"},
			script: []exchange{{ask: "PATCH /lists/tenants%2Facme%2F%2A?dryRun=true\n" + `{"state":"off"}`, say: `{"revision":41,"enforced":true,"dryRun":true,"names":["tenants/acme/*"],"lists":[],"warnings":[{"what":"tenants/acme/* admits no IPv6 address","list":"tenants/acme/*"},{"what":"it restricts nothing","list":"tenants/acme/*","remedy":"say monitor"}],"plan":{"lists":[],"endpoints":[],"warnings":[]}}`}},
			out:    "it would change\ntenants/acme/*\n",
			errs:   "warning: tenants/acme/* admits no IPv6 address\nwarning: tenants/acme/*: it restricts nothing; say monitor\n",
		},
		{
			name:   "delete-refused",
			args:   []string{"lists", "delete", "tenants/acme/*"},
			script: []exchange{{ask: "DELETE /lists/tenants%2Facme%2F%2A", status: 409, say: refusal("would-open", "tenants/acme/* would restrict nothing", `"lists":["tenants/acme/*"]`)}},
			errs:   "postern: tenants/acme/* would restrict nothing\n",
			code:   1,
		},
		{
			name: "release",
			args: []string{"lists", "release", "tenants/acme/*", "system/webUI"},
			script: []exchange{
				{ask: "POST /lists/tenants%2Facme%2F%2A/release", say: wrote},
				{ask: "POST /lists/system%2FwebUI/release", status: 404, say: refusal("not-found", "there is none of that name")},
			},
			out:  wroteText,
			errs: "postern: release system/webUI: there is none of that name\n",
			code: 1,
		},
		{
			name:   "drop",
			args:   []string{"lists", "drop", "/lists.d/a.yaml"},
			script: []exchange{{ask: "DELETE /lists?owner=%2Flists.d%2Fa.yaml", say: `{"lists":["tenants/acme/*"]}`}},
			out:    "dropped tenants/acme/*\n",
		},
		{
			name: "mistakes",
			args: []string{"lists", "add", "tenants/acme/*", "192.0.2.9-192.0.2.1", "x"},
			script: []exchange{{
				ask:    "POST /lists/tenants%2Facme%2F%2A/entries\n" + `{"entries":[{"address":"192.0.2.9-192.0.2.1"},{"address":"x"}]}`,
				status: 400,
				say: refusal("invalid", "two mistakes; nothing was applied",
					`"mistakes":[{"path":"$.entries[0].address","what":"ends before it starts","remedy":"write 192.0.2.1-192.0.2.9"},{"path":"$.entries[1].address","what":"not an IP address"}]`),
			}},
			errs: "postern: two mistakes; nothing was applied\n" +
				"$.entries[0].address: ends before it starts; write 192.0.2.1-192.0.2.9\n" +
				"$.entries[1].address: not an IP address\n",
			code: 1,
		},
	}
}

// A list that is replaced must be the one that was looked at.
func TestListsSetIsComparedAndSet(t *testing.T) {
	tt := typed{
		args: []string{"lists", "clear", "tenants/acme/*"},
		script: []exchange{
			{ask: "GET /lists/tenants%2Facme%2F%2A", say: wholeList},
			{
				ask: "PUT /lists/tenants%2Facme%2F%2A\n" + `{"state":"monitor","entries":[]}`, status: 412,
				say: refusal("changed", "tenants/acme/* was changed since"),
			},
		},
		errs: "postern: tenants/acme/* was changed since; look at it again, and repeat it\n",
		code: 1,
	}
	if f := tt.run(t, readDocument(t)); f.settings.ifMatch[1] != `"9f86"` {
		t.Errorf("it was asked for the one of %s", f.settings.ifMatch[1])
	}
}
