package main

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed edge
var edgeFiles embed.FS

// layOut writes the edge host's files: its own, and a cloud's published ranges as
// the list of a tenant each.
func (a *agent) layOut() {
	a.Check(os.MkdirAll(a.path("lists.d"), 0o755))
	for from, to := range map[string]string{
		"edge/postern.yaml": "postern.yaml",
		"edge/system.yaml":  "lists.d/system.yaml",
		"edge/acme.yaml":    acmeFile,
	} {
		text, err := edgeFiles.ReadFile(from)
		a.Check(err)
		a.write(to, strings.ReplaceAll(string(text), "$DIR", a.dir))
	}
	for tenant, lists := range map[string][]string{
		"aws": {"aws-v4.txt", "aws-v6.txt"}, "azure": {"azure.txt"}, "google": {"google.txt"},
	} {
		a.write("lists.d/"+tenant+".yaml", a.cloud(tenant, lists))
	}
}

func (a *agent) cloud(tenant string, lists []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "tenant: %s\nhosts: [%s.example.com]\nlists:\n  \"*\":\n", tenant, tenant)
	for _, list := range lists {
		text, err := os.ReadFile(filepath.Join("testdata/clouds", list))
		a.Check(err)
		for prefix := range strings.FieldsSeq(string(text)) {
			fmt.Fprintf(&b, "    - %q\n", prefix)
		}
	}
	return b.String()
}

// write replaces a file whole, as an editor does.
func (a *agent) write(name, text string) {
	aside := a.path(".new")
	a.Check(os.WriteFile(aside, []byte(text), 0o644))
	a.Check(os.Rename(aside, a.path(name)))
}
