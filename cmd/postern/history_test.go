package main

import (
	"time"
)

const (
	settled = `{"revision":41,"time":"2026-06-01T12:00:00Z","author":{"name":"acme-ci","key":"k1","from":"198.51.100.7"},"origin":"api","reason":"new office","names":["a","b","c","d"],"outcome":"settled"}`
	pending = `{"revision":42,"time":"2026-06-01T12:01:00Z","author":{"name":"root"},"origin":"api","names":["tenants/acme/*"],"outcome":"pending","confirm":"2026-06-01T12:02:30Z"}`
)

// local is a time of the tests as the user is told it.
func local(text, layout string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return at.Local().Format(layout)
}

func typedHistory() []typed {
	until := local("2026-06-01T12:02:30Z", time.TimeOnly)
	return []typed{
		{
			name:   "history",
			args:   []string{"history", "--limit", "2"},
			script: []exchange{{ask: "GET /revisions?limit=2", say: `{"revisions":[` + pending + `,` + settled + `],"next":"c"}`}},
			out: "REVISION  TIME                 AUTHOR   ORIGIN  CHANGED           REASON\n" +
				"42        " + local("2026-06-01T12:01:00Z", time.DateTime) + "  root     api     tenants/acme/*    - (pending until " + until + ")\n" +
				"41        " + local("2026-06-01T12:00:00Z", time.DateTime) + "  acme-ci  api     a b c and 1 more  new office\n",
		},
		{
			name:   "history-of-a-list",
			args:   []string{"history", "tenants/acme/*", "--author", "root", "-o", "json", "--limit", "0"},
			script: []exchange{{ask: "GET /revisions?author=root&limit=1000&name=tenants%2Facme%2F%2A", say: `{"revisions":[]}`}},
			out:    "{\n  \"revisions\": []\n}\n",
		},
		{
			name:   "revision",
			args:   []string{"history", "show", "41"},
			script: []exchange{{ask: "GET /revisions/41", say: settled}},
			out: "revision  41, settled\ntime      " + local("2026-06-01T12:00:00Z", time.RFC3339) +
				"\nauthor    acme-ci by api from 198.51.100.7\nreason    new office\n  a\n  b\n  c\n  d\n",
		},
		{
			name: "diff",
			args: []string{"diff", "41", "current", "--tenant", "acme"},
			script: []exchange{{ask: "GET /revisions/41/diff?against=current&tenant=acme", say: `{"from":41,"to":43,"records":[` +
				`{"name":"tenants/acme","change":"changed","before":{"name":"A"},"after":{"name":"B"}},` +
				`{"name":"tenants/acme/*","change":"changed","before":{"state":"on"},"after":{"state":"on"},"added":[{"address":"192.0.2.1","canonical":"192.0.2.1","action":"deny","enabled":true,"live":true}],` +
				`"removed":[{"address":"192.0.2.0/24","canonical":"192.0.2.0/24","action":"allow","enabled":true,"live":true,"comment":"Paris"}],` +
				`"changed":[{"before":{"address":"10.0.0.1","canonical":"10.0.0.1","action":"allow","enabled":true,"live":true},` +
				`"after":{"address":"10.0.0.1","canonical":"10.0.0.1","action":"allow","enabled":false,"live":false,"expires":"2027-01-31T00:00:00Z"}}]}]}`}},
			out: "tenants/acme changed\n  - {\"name\":\"A\"}\n  + {\"name\":\"B\"}\n" +
				"tenants/acme/* changed\n  - 192.0.2.0/24 # Paris\n  ~ 10.0.0.1\n    10.0.0.1 until 2027-01-31T00:00:00Z, disabled\n  + deny 192.0.2.1\n",
		},
		{
			name: "rollback",
			args: []string{"rollback", "40", "tenants/acme/*"},
			script: []exchange{
				{ask: "POST /revisions/40/rollback?dryRun=true&force=true&list=tenants%2Facme%2F%2A", say: would(plan)},
				{ask: "POST /revisions/40/rollback?list=tenants%2Facme%2F%2A", say: wrote},
			},
			out: "it would change\n" + planText + wroteText,
		},
		{
			name:   "rollback-of-nothing",
			args:   []string{"rollback", "41"},
			script: []exchange{{ask: "POST /revisions/41/rollback?dryRun=true&force=true", say: `{"revision":42,"enforced":true,"dryRun":true,"names":[],"lists":[],"warnings":[]}`}},
			out:    "nothing changes\n",
		},
		{
			name: "confirm-the-one-that-waits",
			args: []string{"confirm"},
			script: []exchange{
				{ask: "GET /revisions?limit=1000&outcome=pending", say: `{"revisions":[` + pending + `]}`},
				{ask: "POST /revisions/42/confirm", say: pending},
			},
			out: "revision 42 stays\n",
		},
		{
			name:   "confirm-nothing",
			args:   []string{"confirm"},
			script: []exchange{{ask: "GET /revisions?limit=1000&outcome=pending", say: `{"revisions":[]}`}},
			errs:   "postern: confirm: nothing waits\n",
			code:   1,
		},
		{
			name:   "confirm-which",
			args:   []string{"confirm"},
			script: []exchange{{ask: "GET /revisions?limit=1000&outcome=pending", say: `{"revisions":[` + pending + `,` + pending + `]}`}},
			errs:   "postern: confirm: 2 revisions wait; name one of those that postern history --pending shows\n",
			code:   1,
		},
		{
			name: "audit",
			args: []string{"audit", "--tenant", "acme", "--action", "list.add", "--since", "2026-06-01T00:00:00Z"},
			script: []exchange{{ask: "GET /audit?action=list.add&limit=100&since=2026-06-01T00%3A00%3A00Z&tenant=acme", say: `{"events":[` +
				`{"@timestamp":"2026-06-01T12:00:00Z","user":{"id":"k1","name":"acme-ci"},"source":{"ip":"198.51.100.7"},"error":{"message":"it may not"},"postern":{"objects":["system/*"]},"event":{"action":"list.add","outcome":"failure"}}]}`}},
			out: "TIME                 OUTCOME  ACTION    ACTOR    FROM          WHAT      WHY\n" +
				local("2026-06-01T12:00:00Z", time.DateTime) + "  failure  list.add  acme-ci  198.51.100.7  system/*  it may not\n",
		},
		{
			name:   "audit-lines",
			args:   []string{"audit", "-o", "json", "--limit", "3"},
			script: []exchange{{ask: "GET /audit?limit=3", say: `{"events":[{"b":1,"a":2},{"c":3}]}`}},
			out:    "{\"b\":1,\"a\":2}\n{\"c\":3}\n",
		},
	}
}
