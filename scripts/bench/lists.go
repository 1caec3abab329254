package main

import (
	"bufio"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/postern-io/postern/pkg/testenv"
)

// source is where a load came from.
type source struct {
	Name     string `json:"name"`
	Prefixes int    `json:"prefixes"`
	From     string `json:"from"`
}

// Names of the files that -lists may bring: they are large, and not ours to pass
// on.
const (
	tenantsFile = "tenants-by-asn.tsv.gz"
	asnFile     = "asn-v4.txt.gz"
)

const synthetic = "synthetic, of the same shape"

// lists finds the lists that are measured with.
type lists struct {
	dir     string // of the files above; "": nowhere
	tenants string // the tenants' file
	found   []source
}

func newLists(path string) *lists {
	l := &lists{dir: path}
	if path == "" {
		return l
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		l.dir, l.tenants = filepath.Dir(path), path
		return l
	}
	l.tenants = filepath.Join(path, tenantsFile)
	return l
}

func (l *lists) from(name string, prefixes []netip.Prefix, where string) []netip.Prefix {
	for _, s := range l.found {
		if s.Name == name {
			return prefixes
		}
	}
	l.found = append(l.found, source{name, len(prefixes), where})
	return prefixes
}

// cloud is one of the clouds' lists in the repository.
func (l *lists) cloud(s *testenv.Stage, name string) []netip.Prefix {
	path := filepath.Join("testdata", "clouds", name+".txt")
	return l.from(name, readPrefixes(s, path), path)
}

// asn is every IPv4 prefix that an autonomous system announces, or as many.
func (l *lists) asn(s *testenv.Stage) []netip.Prefix {
	const name = "every AS, IPv4"
	path := filepath.Join(l.dir, asnFile)
	if _, err := os.Stat(path); l.dir == "" || err != nil {
		return l.from(name, scattered(rand.New(rand.NewPCG(1, 1)), 564_580), synthetic)
	}
	return l.from(name, readPrefixes(s, path), asnFile)
}

// bgp is the full routing table that a module we test with brings along; nil
// where the module is not at hand.
func (l *lists) bgp(s *testenv.Stage) []netip.Prefix {
	const module = "github.com/gaissmai/bart"
	dir, err := exec.CommandContext(s.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	path := filepath.Join(strings.TrimSpace(string(dir)), "internal", "tests", "testdata", "prefixes.txt.gz")
	if err != nil || len(dir) == 0 {
		return nil
	}
	return l.from("BGP table", readPrefixes(s, path), "module "+module)
}

// readPrefixes reads a file of a prefix a line, gzipped or not.
func readPrefixes(s *testenv.Stage, path string) []netip.Prefix {
	var prefixes []netip.Prefix
	for line := range linesOf(s, path) {
		p, err := netip.ParsePrefix(line)
		s.Check(err)
		prefixes = append(prefixes, p)
	}
	return prefixes
}

// linesOf are the lines of a file, gzipped or not.
func linesOf(s *testenv.Stage, path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		f, err := os.Open(path)
		s.Check(err)
		defer f.Close()
		var text io.Reader = f
		if strings.HasSuffix(path, ".gz") {
			text, err = gzip.NewReader(f)
			s.Check(err)
		}
		lines := bufio.NewScanner(text)
		for lines.Scan() {
			if !yield(lines.Text()) {
				return
			}
		}
		s.Check(lines.Err())
	}
}
