package config

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// around is the mapping a key stands in, with what it requires and room for one
// more key.
var around = map[string]string{
	"":                         `{%s}`,
	"store":                    `{store: {%s}}`,
	"api":                      `{api: {%s}}`,
	"api.rate":                 `{api: {rate: {%s}}}`,
	"api.guard":                `{api: {guard: {%s}}}`,
	"api.audit":                `{api: {audit: {%s}}}`,
	"api.history":              `{api: {history: {%s}}}`,
	"failsafe[]":               `{failsafe: [{ports: [22], from: [10.0.0.1], %s}]}`,
	"endpoints[]":              `{endpoints: [{name: x, ports: [1], %s}]}`,
	"endpoints[].policies[]":   `{endpoints: [{name: x, ports: [1], policies: [{addresses: [10.0.0.1], %s}]}]}`,
	"endpoints[].http.refusal": `{endpoints: [{name: x, ports: [1], http: {listen: ":1", upstream: "http://u", refusal: {%s}}}]}`,
	"list file":                `{tenant: a, hosts: [], lists: {}, %s}`,
	"lists.*":                  `{tenant: a, lists: {webUI: {entries: [10.0.0.1], %s}}}`,
	"lists.*.entries[]":        `{tenant: a, lists: {webUI: [{address: 10.0.0.1, %s}]}}`,
}

// To write a default out changes nothing.
func TestDefaultsHold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "postern.yaml")
	for _, d := range Defaults {
		mapping, key := "", d.Key
		if i := strings.LastIndexByte(d.Key, '.'); i >= 0 {
			mapping, key = d.Key[:i], d.Key[i+1:]
		} else if strings.HasPrefix(d.Meaning, "list file:") {
			mapping = "list file"
		}
		if d.Value == None || d.Value == Required || d.Value == "all" || strings.Contains(d.Value, " ") {
			continue // nothing that could be written
		}
		t.Run(d.Key, func(t *testing.T) {
			without := readText(t, file, fmt.Sprintf(around[mapping], ""))
			with := readText(t, file, fmt.Sprintf(around[mapping], key+": "+d.Value))
			if diff := cmp.Diff(without, with, shape); diff != "" {
				t.Errorf("%s: %s is not what holds without it:\n%s", d.Key, d.Value, diff)
			}
		})
	}
}

func readText(t *testing.T, file, text string) any {
	t.Helper()
	write(t, file, text)
	if isListFile(file) {
		l, problems := readFiles([]string{file})
		if err := problems.Err(); err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		return l
	}
	c, problems := Read(file)
	if err := problems.Err(); err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return c
}

// Every key the readers know is in the table, and no other.
func TestDefaultsAreAll(t *testing.T) {
	paths := map[string]bool{}
	for _, d := range Defaults {
		parts := strings.Split(strings.NewReplacer("[]", "", ".*", "").Replace(d.Key), ".")
		for i := range parts {
			paths[strings.Join(parts[:i+1], ".")] = true
		}
	}
	var table []string
	for path := range paths {
		table = append(table, path[strings.LastIndexByte(path, '.')+1:])
	}
	slices.Sort(table)
	if diff := cmp.Diff(fieldKeys(t), table); diff != "" {
		t.Errorf("keys of the readers (-) and of the table (+):\n%s", diff)
	}
}

// fieldKeys are the keys of every fields literal of this package.
func fieldKeys(t *testing.T) []string {
	t.Helper()
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, name := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if id, ok := literal.Type.(*ast.Ident); ok && id.Name == "fields" {
				for _, e := range literal.Elts {
					key, err := strconv.Unquote(e.(*ast.KeyValueExpr).Key.(*ast.BasicLit).Value)
					if err != nil {
						t.Fatal(err)
					}
					keys = append(keys, key)
				}
			}
			return true
		})
	}
	slices.Sort(keys)
	return keys
}
