package testenv_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/postern-io/postern"
)

// arrows are the imports a package of this module may make of another, tests
// aside. A package stands for all beneath it; one that is not here, like
// cmd/postern and the scripts, may import any.
var arrows = map[string][]string{
	"pkg/addr":        {},
	"pkg/accept":      {},
	"pkg/policy":      {"pkg/addr"},
	"pkg/access":      {"pkg/policy"},
	"pkg/audit":       {"pkg/addr", "pkg/policy"},
	"pkg/certificate": {"pkg/policy"},
	"pkg/ingress":     {"pkg/addr", "pkg/policy"},
	"pkg/seen":        {"pkg/policy"},
	"pkg/config":      {"pkg/addr", "pkg/policy"},
	"pkg/agent":       {"pkg/addr", "pkg/policy", "pkg/audit", "pkg/config"},
	"pkg/control":     {"pkg/addr", "pkg/policy", "pkg/access", "pkg/audit"},
	"pkg/api":         {"pkg/addr", "pkg/accept", "pkg/policy", "pkg/access", "pkg/audit", "pkg/control", "pkg/certificate"},
	"pkg/datapath":    {"pkg/addr", "pkg/policy"},
	"pkg/gate":        {"pkg/addr", "pkg/accept", "pkg/policy"},
	"pkg/metrics":     {"pkg/addr", "pkg/policy"},
	"pkg/store":       {"pkg/addr", "pkg/policy", "pkg/access", "pkg/audit"},
	"pkg/testenv":     {"pkg/addr", "pkg/policy", "pkg/config"},
}

// homes are the packages that may import an outside module, their tests aside.
var homes = map[string][]string{
	"github.com/cilium/ebpf":              {"pkg/datapath", "scripts/bench"},
	"github.com/coreos/go-systemd":        {"pkg/agent"},
	"github.com/fsnotify/fsnotify":        {"pkg/agent"},
	"github.com/getkin/kin-openapi":       {"pkg/api/v1/contract"},
	"github.com/google/go-cmp":            {"pkg/store/storetest"},
	"github.com/google/renameio":          {"pkg/config", "pkg/store"},
	"github.com/hashicorp/hcl":            {"pkg/api/listfile"},
	"github.com/oapi-codegen/runtime":     {"pkg/api/v1"},
	"github.com/prometheus/client_golang": {"pkg/metrics"},
	"github.com/spf13":                    {"cmd/postern"},
	"github.com/vishvananda":              {"pkg/datapath", "pkg/testenv"},
	"github.com/zclconf/go-cty":           {"pkg/api/listfile"},
	"go.etcd.io/bbolt":                    {"pkg/store"},
	"go.yaml.in/yaml":                     {"pkg/api/listfile", "pkg/api/v1", "pkg/config", "pkg/ingress"},
	"go4.org/netipx":                      {"pkg/addr", "pkg/policy", "pkg/datapath", "scripts/bench"},
	"golang.org/x/crypto":                 {"pkg/access"},
	"golang.org/x/net":                    {"pkg/gate"},
	"golang.org/x/sync":                   {"cmd/postern", "pkg"},
	"golang.org/x/sys":                    {"cmd/postern", "pkg/api", "pkg/datapath", "pkg/testenv", "scripts/bench", "scripts/demo"},
	"golang.org/x/tools":                  {"pkg/testenv"},
}

// impure are what addr and policy do without: no I/O, no log. (net stays out of it
// for its parsers.)
var impure = []string{"log", "log/slog", "net/http", "os", "os/exec", "syscall"}

func TestImports(t *testing.T) {
	for dir, files := range packages(t) {
		for name, file := range files {
			for _, spec := range file.Imports {
				imported, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				if why := forbidden(dir, imported, strings.HasSuffix(name, "_test.go")); why != "" {
					t.Errorf("%s/%s imports %s: %s", dir, name, imported, why)
				}
			}
		}
	}
}

// forbidden says what forbids a package in dir an import. A test may import what
// testenv may, and testenv, beside what its package may, and any outside module:
// what it tests against is its own affair, but the row stays apart there too.
func forbidden(dir, imported string, test bool) string {
	own, inside := strings.CutPrefix(imported, module+"/")
	switch {
	case inside:
		allowed, bound := arrows[under(dir, arrows)]
		if test {
			allowed = append(slices.Clone(arrows["pkg/testenv"]), append(allowed, "pkg/testenv")...)
		}
		if bound && !within(own, append(allowed, under(dir, arrows))) {
			return "no arrow leads there"
		}
		if !test && strings.HasPrefix(dir, "cmd/") && within(own, []string{"pkg/testenv"}) {
			return "testenv is for tests and the demo"
		}
	case test:
	case strings.Contains(strings.Split(imported, "/")[0], "."):
		home, known := homes[under(imported, homes)]
		if !known {
			return "an outside module needs a home here"
		}
		if !within(dir, home) {
			return "its home is " + strings.Join(home, ", ")
		}
	case within(dir, []string{"pkg/addr", "pkg/policy"}) && slices.Contains(impure, imported):
		return "addr and policy are pure"
	}
	return ""
}

// under finds the key of m that p is, or stands beneath.
func under[V any](p string, m map[string]V) string {
	for key := range m {
		if within(p, []string{key}) {
			return key
		}
	}
	return ""
}

func within(p string, dirs []string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool {
		return p == dir || strings.HasPrefix(p, dir+"/")
	})
}

func TestPackageDocs(t *testing.T) {
	for dir, files := range packages(t) {
		var documented []string
		for name, file := range files {
			if strings.HasSuffix(name, "_test.go") || file.Doc == nil {
				continue
			}
			documented = append(documented, name)
			if text, want := file.Doc.Text(), opening(dir, file.Name.Name); !strings.HasPrefix(text, want) {
				t.Errorf("%s/%s: the package's doc does not begin with %q", dir, name, want)
			}
		}
		if len(documented) != 1 && !onlyTests(files) {
			t.Errorf("%s: the package's doc stands directly before package in %q, want one file", dir, documented)
		}
	}
}

// opening is how a package's doc begins: a command's with the command's name.
func opening(dir, name string) string {
	if name != "main" {
		return "Package " + name + " "
	}
	command := path.Base(dir)
	return strings.ToUpper(command[:1]) + command[1:] + " "
}

func onlyTests(files map[string]*ast.File) bool {
	for name := range files {
		if !strings.HasSuffix(name, "_test.go") {
			return false
		}
	}
	return true
}

func TestTopLevel(t *testing.T) {
	allowed := []string{
		"bpf", "cmd", "pkg", "scripts", "testdata",
		"go.mod", "go.sum", "Makefile", "README.md", "LICENSE",
		"bin", "postern", // what builds leave; git ignores them
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(allowed, e.Name()) {
			t.Errorf("%s stands at the top level; it belongs into one of %q", e.Name(), allowed[:5])
		}
	}
}

// packages parses every Go file, comments and imports only: by directory, then by
// file name.
func packages(t *testing.T) map[string]map[string]*ast.File {
	t.Helper()
	all := map[string]map[string]*ast.File{}
	fset := token.NewFileSet()
	for _, top := range []string{"bpf", "cmd", "pkg", "scripts"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(name) != ".go" {
				return err
			}
			file, err := parser.ParseFile(fset, name, nil, parser.ImportsOnly|parser.ParseComments)
			if err != nil {
				return err
			}
			dir, err := filepath.Rel(root, filepath.Dir(name))
			if err != nil {
				return err
			}
			dir = filepath.ToSlash(dir)
			if all[dir] == nil {
				all[dir] = map[string]*ast.File{}
			}
			all[dir][filepath.Base(name)] = file
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}
