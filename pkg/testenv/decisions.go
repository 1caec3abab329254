package testenv

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/postern-io/postern/pkg/config"
	"github.com/postern-io/postern/pkg/policy"
)

// Scenario is one archive of testdata/decisions: a configuration with its list
// files, and what must follow from it. The law, the kernel and the gate are held
// to the same rows.
//
// The archive's files are postern.yaml, lists/*.yaml, optionally host (the
// addresses of the host, one a line, "broadcast" before such a one) and
// decisions, a row a line:
//
//	decide  addr=10.20.30.5 tenant=2 user=1 resource=managementAPI : deny user managementAPI not-listed
//	packet  src=192.0.2.1 dst=203.0.113.10 proto=tcp port=443      : drop acme
//	request endpoint=portal peer=192.0.2.1 xff="1.1.1.1" host=a.example : 403 1.1.1.1 acme
//
// A row is judged at DecisionTime unless it says at=RFC3339. See DecideRow,
// PacketRow and RequestRow for the rest.
type Scenario struct {
	Name     string
	State    *policy.State
	Host     policy.Host
	Decides  []DecideRow
	Packets  []PacketRow
	Requests []RequestRow
}

// DecisionTime is when rows are judged that do not say.
var DecisionTime = time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)

// Row is what rows of all kinds have.
type Row struct {
	Text string // as it stands in the archive
	At   time.Time
	Want string // what follows the colon
}

// DecideRow is a question to the law. Keys: addr, endpoint, tenant, user,
// resource, and the word peer for a true peer. Want is as VerdictText has it, or
// its first words.
type DecideRow struct {
	Row
	Query policy.Query
}

// PacketRow is a packet. Keys: src, dst, proto (tcp, udp, or any for a protocol
// without ports), port. Want is pass, drop or would-drop with the endpoint's
// name after it, or "pass failsafe", or "pass" alone where nothing is guarded.
type PacketRow struct {
	Row
	Src, Dst netip.Addr
	Proto    policy.Protocol
	Port     uint16
}

// RequestRow is a request to an endpoint's gate. Keys: endpoint, peer, host, and
// xff, once for each line of the header. Want is "200", or "403 ADDRESS TENANT"
// as the refusal prints them.
type RequestRow struct {
	Row
	Endpoint string
	Peer     netip.Addr
	Host     string
	XFF      []string
}

// VerdictText is a verdict as rows write it: allow, deny or would-deny; scope and
// resource of the list that spoke; the reason; the entry as typed.
func VerdictText(v policy.Verdict) string {
	words := []string{"deny"}
	switch {
	case v.Allow:
		words[0] = "allow"
	case !v.Enforced:
		words[0] = "would-deny"
	}
	if v.Scope != policy.NoScope {
		words = append(words, v.Scope.String())
	}
	if v.Resource != "" {
		words = append(words, v.Resource)
	}
	words = append(words, v.Reason.String())
	if v.Entry != nil {
		words = append(words, v.Entry.Text)
	}
	return strings.Join(words, " ")
}

// Matches reports whether got is what the row wants, or goes on from it.
func (r Row) Matches(got string) bool {
	return got == r.Want || strings.HasPrefix(got, r.Want+" ")
}

// Decisions reads every archive of testdata/decisions.
func Decisions(t TB) []Scenario {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(moduleRoot(t), "testdata/decisions/*.txt"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("find testdata/decisions: %d archives, %v", len(paths), err)
	}
	var all []Scenario
	for _, path := range paths {
		s, err := readScenario(path, t.TempDir())
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(path), err)
		}
		all = append(all, s)
	}
	return all
}

// moduleRoot is the nearest directory above with a go.mod: a test runs in its
// package's.
func moduleRoot(t TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("%v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		above := filepath.Dir(dir)
		if above == dir {
			t.Fatalf("no go.mod above the test")
		}
		dir = above
	}
}

func readScenario(path, dir string) (Scenario, error) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		return Scenario{}, err
	}
	s := Scenario{Name: strings.TrimSuffix(filepath.Base(path), ".txt")}
	var rows string
	for _, f := range archive.Files {
		switch f.Name {
		case "decisions":
			rows = string(f.Data)
		case "host":
			if s.Host, err = parseHost(string(f.Data)); err != nil {
				return s, err
			}
		default:
			if err := writeFile(filepath.Join(dir, f.Name), f.Data); err != nil {
				return s, err
			}
		}
	}
	if s.State, err = readState(dir); err != nil {
		return s, err
	}
	return s, s.parseRows(rows)
}

func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// readState reads the files as the agent does.
func readState(dir string) (*policy.State, error) {
	c, problems := config.Read(filepath.Join(dir, "postern.yaml"))
	if lists := filepath.Join(dir, "lists"); isDir(lists) {
		c.ListDirs = append(c.ListDirs, lists)
	}
	l, more := c.ReadLists(nil)
	s := c.With(l)
	problems = append(append(problems, more...), s.Check()...)
	return s, problems.Err()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func parseHost(text string) (policy.Host, error) {
	var h policy.Host
	for line := range strings.Lines(text) {
		word, broadcast := strings.CutPrefix(strings.TrimSpace(line), "broadcast ")
		ip, err := netip.ParseAddr(word)
		if err != nil {
			return h, fmt.Errorf("host: %w", err)
		}
		if broadcast {
			h.Broadcast = append(h.Broadcast, ip)
			continue
		}
		h.Local = append(h.Local, netip.PrefixFrom(ip, ip.BitLen()))
	}
	return h, nil
}
