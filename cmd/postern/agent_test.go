package main

func typedAgent() []typed {
	return []typed{
		{
			name: "status",
			args: []string{"status"},
			script: []exchange{{ask: "GET /status", say: `{"version":"devel","state":"degraded","why":"postern.yaml is broken","started":"2026-06-01T00:00:00Z","config":"/etc/postern/postern.yaml","mode":"enforce","revision":41,` +
				`"reload":{"ok":false,"error":"postern.yaml:2: no\nmore"},"count":{"tenants":1,"lists":2,"entries":3},"kernel":{"lists":1,"indexBytes":64,"maxIndexBytes":2000,"inTries":0,"prefixes":0,"capacity":9,"bytes":4096},` +
				`"interfaces":[{"name":"eth0","mode":"native"}],"endpoints":[` + dataPort + `],"orphaned":[],"problems":[{"pos":{"file":"postern.yaml","line":2},"what":"no","remedy":"write yes"}],"bypasses":[{"kind":"tun","what":"tun0"}],"eventsLost":0}`}},
			out: "agent     degraded: postern.yaml is broken\nrevision  41 since -, mode enforce\nfiles     /etc/postern/postern.yaml, read -\n          not in force: postern.yaml:2: no\n" +
				"policy    1 tenants, 2 lists, 3 entries\nkernel    1 lists, index 64 B of at most 2.0 kB, 4.1 kB in all; 0 events lost\n\n" +
				"INTERFACE  MODE    SINCE  WHY\neth0       native  -\n\n" + dataTable +
				"\nPROBLEMS\npostern.yaml:2: no; write yes\n\nOTHER WAYS to a guarded socket\ntun: tun0\n",
		},
		{
			name:   "watch-until-the-agent-ends",
			args:   []string{"watch", "-o", "json"},
			script: []exchange{{ask: "GET /events", say: "data: {\"time\":\"2026-06-01T12:00:00Z\",\"where\":\"gate\",\"verdict\":\"deny\",\"reason\":\"not-listed\"}\n\n"}},
			out:    `{"reason":"not-listed","time":"2026-06-01T12:00:00Z","verdict":"deny","where":"gate"}` + "\n",
			errs:   "watching; interrupt to end\npostern: watch: the agent has ended\n",
			code:   1,
		},
		{
			name: "reload-refused",
			args: []string{"reload"},
			script: []exchange{{ask: "POST /reload", status: 422, say: refusal("unprocessable", "/a.yaml:3: bad; mend it\n/b.yaml: gone",
				`"mistakes":[{"path":"/a.yaml:3","what":"bad","remedy":"mend it"},{"path":"/b.yaml","what":"gone"}]`)}},
			errs: "postern: /a.yaml:3: bad; mend it\n/b.yaml: gone\n",
			code: 1,
		},
		{
			name:   "reload",
			args:   []string{"reload", "--force"},
			script: []exchange{{ask: "POST /reload?force=true", say: `{"revision":42,"enforced":true,"names":[],"lists":[],"warnings":[],"confirm":"2026-06-01T12:02:30Z"}`}},
			out:    "nothing changes\nit is taken back at " + local("2026-06-01T12:02:30Z", "15:04:05") + ", unless you type: postern confirm 42\n",
		},
	}
}
