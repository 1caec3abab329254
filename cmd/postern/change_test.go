package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	plan = `{"lists":[{"list":"tenants/acme/*","etag":"\"9f86\"","added":1,"changed":0,"removed":1,"prefixesAdded":["203.0.113.0/24"],"prefixesRemoved":["192.0.2.0/24"],"more":3}],` +
		`"endpoints":[{"endpoint":"data","sources":312,"shutOut":[{"address":"192.0.2.7","tenant":"acme"}],"letIn":[{"address":"203.0.113.9"}]}],"warnings":[]}`
	planText = "tenants/acme/*: 1 added, 1 removed\n  - 192.0.2.0/24\n  + 203.0.113.0/24\n  and 3 prefixes more\n" +
		"data, of 312 sources seen:\n  shuts out 192.0.2.7 of acme\n  lets in 203.0.113.9\n"
	refusedPlan = `{"lists":[],"endpoints":[],"warnings":[],"refusal":{"type":"urn:postern:locks-out","title":"Conflict","status":409,"detail":"198.51.100.7 could not call any more","instance":"/","trace":"1"}}`

	documentsBody = `{"documents":[{"hosts":["acme.example.com"],"lists":{"*":{"entries":[{"address":"203.0.113.0/24"},{"action":"deny","address":"203.0.113.9","comment":"gone","enabled":false}],"state":"on"}},"tenant":"acme","users":{"1":{"dataAccess":{"entries":[],"state":"monitor"}}}}]}`
	listFileText  = `
tenant: acme
hosts: [acme.example.com]
lists:
  "*":
    - 203.0.113.0/24
    - {address: 203.0.113.9, action: deny, comment: gone, enabled: false}
users:
  "1": {dataAccess: {state: monitor, entries: []}}
`
)

// would is the answer to a change that is only tried.
func would(plan string) string {
	return `{"revision":41,"enforced":true,"dryRun":true,"names":["tenants/acme/*"],"lists":[{"list":"tenants/acme/*","etag":"\"9\"","added":1,"changed":0,"removed":1}],"warnings":[],"plan":` + plan + `}`
}

func typedChanges(t *testing.T) []typed {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "acme.yaml")
	if err := os.WriteFile(file, []byte(listFileText), 0o600); err != nil {
		t.Fatal(err)
	}
	return []typed{
		{
			name: "apply",
			args: []string{"apply", "-f", dir, "--reason", "Paris"},
			script: []exchange{
				{ask: "POST /apply?dryRun=true&force=true&reason=Paris\n" + documentsBody, say: would(plan)},
				{ask: "POST /apply?reason=Paris\n" + documentsBody, say: wrote},
			},
			out: "it would change\n" + planText + wroteText,
		},
		{
			name:   "apply-dry-run-in-json",
			args:   []string{"apply", "-f", file, "--dry-run", "-o", "json"},
			script: []exchange{{ask: "POST /apply?dryRun=true&force=true\n" + documentsBody, say: `{"revision":41,"enforced":true,"dryRun":true,"names":[],"lists":[],"warnings":[]}`}},
			out:    "{\n  \"dryRun\": true,\n  \"enforced\": true,\n  \"lists\": [],\n  \"names\": [],\n  \"revision\": 41,\n  \"warnings\": []\n}\n",
		},
		{
			name: "apply-in-json-shows-people-the-plan",
			args: []string{"apply", "-f", file, "-o", "json"},
			script: []exchange{
				{ask: "POST /apply?dryRun=true&force=true\n" + documentsBody, say: would(plan)},
				{ask: "POST /apply\n" + documentsBody, say: `{"revision":42,"enforced":true,"names":[],"lists":[],"warnings":[]}`},
			},
			out:  "{\n  \"enforced\": true,\n  \"lists\": [],\n  \"names\": [],\n  \"revision\": 42,\n  \"warnings\": []\n}\n",
			errs: "it would change\n" + planText,
		},
		{
			name: "apply-by-entry",
			args: []string{"apply", "-f", "-", "--diff", "--dry-run"},
			in:   "tenant: acme\nlists: {\"*\": [203.0.113.0/24, 192.0.2.0 - 192.0.2.255, {address: 192.0.2.7, comment: Ann}]}",
			script: []exchange{
				{
					ask: "POST /apply?dryRun=true&force=true\n" + `{"documents":[{"lists":{"*":{"entries":[{"address":"203.0.113.0/24"},{"address":"192.0.2.0 - 192.0.2.255"},{"address":"192.0.2.7","comment":"Ann"}],"state":"on"}},"tenant":"acme"}]}`,
					say: would(plan),
				},
				{ask: "GET /lists/tenants%2Facme%2F%2A", say: wholeList},
			},
			out: "tenants/acme/* changed\n  - deny 192.0.2.1, disabled\n" +
				"  ~ 203.0.113.0/24 # Paris\n    203.0.113.0/24\n" +
				"  ~ 192.0.2.7 until 2026-01-31T00:00:00Z\n    192.0.2.7 # Ann\n" +
				"  + 192.0.2.0 - 192.0.2.255\n" +
				"data, of 312 sources seen:\n  shuts out 192.0.2.7 of acme\n  lets in 203.0.113.9\n",
		},
		{
			name:   "apply-refused-by-a-guard",
			args:   []string{"apply", "-f", file},
			script: []exchange{{ask: "POST /apply?dryRun=true&force=true\n" + documentsBody, say: would(refusedPlan)}},
			out: "it would change\ntenants/acme/*: 1 added, 1 removed\n" +
				"a guard refuses it: 198.51.100.7 could not call any more\n",
			errs: "postern: 198.51.100.7 could not call any more\n",
			code: 1,
		},
		{
			name:   "apply-tried-and-refused-by-a-guard",
			args:   []string{"apply", "-f", file, "--dry-run"},
			script: []exchange{{ask: "POST /apply?dryRun=true&force=true\n" + documentsBody, say: would(refusedPlan)}},
			out: "it would change\ntenants/acme/*: 1 added, 1 removed\n" +
				"a guard refuses it: 198.51.100.7 could not call any more\n",
			code: 1,
		},
		{
			name: "apply-with-mistakes-in-the-file",
			args: []string{"apply", "-f", "-"},
			in:   "tenant: acme\nlists:\n  \"*\": [1.2.3]\n  webUI: null\n",
			errs: "postern: -:3: address 1.2.3: not an IP address\n-:4: list webUI has no value; write [] for no entries\n",
			code: 1,
		},
		{
			name: "apply-with-mistakes-that-the-agent-finds",
			args: []string{"apply", "-f", file},
			script: []exchange{{
				ask: "POST /apply?dryRun=true&force=true\n" + documentsBody, status: 422,
				say: refusal("unprocessable", "one mistake; nothing was applied", `"mistakes":[{"path":"$.documents[0].lists.dataAcess","what":"it is unknown","remedy":"did you mean dataAccess?"}]`),
			}},
			errs: "postern: one mistake; nothing was applied\n" + file + ": $.lists.dataAcess: it is unknown; did you mean dataAccess?\n",
			code: 1,
		},
		{
			name:   "plan",
			args:   []string{"plan", "tenants/acme/*", "--add", "203.0.113.0/24", "--deny", "203.0.113.9", "--remove", "192.0.2.0/24"},
			script: []exchange{{ask: "POST /plan\n" + `{"changes":[{"entries":[{"address":"192.0.2.0/24"}],"list":"tenants/acme/*","op":"remove"},{"entries":[{"address":"203.0.113.0/24"},{"action":"deny","address":"203.0.113.9"}],"list":"tenants/acme/*","op":"add"}]}`, say: plan}},
			out:    planText,
		},
		{
			name:   "plan-that-a-guard-would-refuse",
			args:   []string{"plan", "-f", file},
			script: []exchange{{ask: "POST /plan\n" + documentsBody, say: refusedPlan}},
			out:    "no list changes\na guard refuses it: 198.51.100.7 could not call any more\n",
			code:   1,
		},
		{
			name:   "explain",
			args:   []string{"explain", "203.0.113.9", "--tenant", "acme"},
			script: []exchange{{ask: "GET /explain?address=203.0.113.9&tenant=acme", say: explanation}},
			out:    "deny 203.0.113.9\n  not-listed in tenants/acme/*\n  by the lists of the system and acme alone; ask with --endpoint what comes of it\n",
			code:   1,
		},
		{
			name:   "explain-proposed",
			args:   []string{"explain", "203.0.113.9", "--tenant", "acme", "--list", file},
			script: []exchange{{ask: "POST /explain\n" + `{"address":"203.0.113.9","proposal":` + documentsBody + `,"tenant":"acme"}`, say: explanation}},
			out:    "deny 203.0.113.9\n  not-listed in tenants/acme/*\n  by the lists of the system and acme alone; ask with --endpoint what comes of it\n",
			code:   1,
		},
		{
			name:   "explain-without-an-answer",
			args:   []string{"explain", "203.0.113.9", "--endpoint", "portl"},
			script: []exchange{{ask: "GET /explain?address=203.0.113.9&endpoint=portl", status: 404, say: refusal("not-found", `endpoint "portl": there is none of that name`)}},
			errs:   "postern: endpoint \"portl\": there is none of that name\n",
			code:   3,
		},
		{
			name:   "export",
			args:   []string{"export", "--tenant", "acme"},
			script: []exchange{{ask: "GET /export?format=yaml&tenant=acme", say: "tenant: acme"}},
			out:    "tenant: acme",
		},
		{
			name:   "export-a-list",
			args:   []string{"export", "tenants/acme/*", "-o", "json"},
			script: []exchange{{ask: "GET /lists/tenants%2Facme%2F%2A/export?format=json", say: `{"documents":[]}`}},
			out:    `{"documents":[]}`,
		},
	}
}

const explanation = `{"verdict":"deny","enforced":true,"where":"","reason":"not-listed","scope":"tenant","list":"tenants/acme/*","entry":"","address":"203.0.113.9","endpoint":"","tenant":"acme"}`

// On a terminal nothing is changed without a yes.
func TestApplyAsks(t *testing.T) {
	d := readDocument(t)
	tried := exchange{ask: "POST /apply?dryRun=true&force=true\n" + documentsBody, say: would(plan)}
	file := filepath.Join(t.TempDir(), "acme.yaml")
	if err := os.WriteFile(file, []byte(listFileText), 0o600); err != nil {
		t.Fatal(err)
	}
	terminal := func(c *console) { c.interactive = true }
	for _, tt := range []typed{
		{
			name: "yes", args: []string{"apply", "-f", file}, in: "y\n",
			script: []exchange{tried, {ask: "POST /apply\n" + documentsBody, say: wrote}},
			out:    "it would change\n" + planText + wroteText, errs: "make this change? [y/N] ",
		},
		{
			name: "no", args: []string{"apply", "-f", file}, in: "\n", script: []exchange{tried},
			out: "it would change\n" + planText, errs: "make this change? [y/N] postern: nothing was changed\n", code: 1,
		},
		{
			name: "not-asked", args: []string{"apply", "-y", "-f", file},
			script: []exchange{tried, {ask: "POST /apply\n" + documentsBody, say: wrote}},
			out:    "it would change\n" + planText + wroteText,
		},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, d, terminal) })
	}
}

// Who is asked may interrupt instead, which is no yes.
func TestAgreedEndsWithItsContext(t *testing.T) {
	nobody, says := io.Pipe()
	t.Cleanup(func() { _ = says.Close() })
	ctx, interrupt := context.WithCancel(t.Context())
	var errs strings.Builder
	c := &console{in: nobody, err: &errs}
	answered := make(chan bool)
	go func() { answered <- c.agreed(ctx, "make this change?") }()
	interrupt()
	select {
	case yes := <-answered:
		if yes || errs.String() != "make this change? [y/N] \n" {
			t.Errorf("agreed = %t, having asked %q", yes, errs.String())
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still asking")
	}
}
