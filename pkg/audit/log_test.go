package audit_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/audit"
)

var alice = audit.Actor{ID: "k1", Name: "alice", From: netip.MustParseAddr("192.0.2.7")}

// lines are those of all files of a journal, in order.
func lines(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "audit-*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")...)
	}
	return all
}

func TestLine(t *testing.T) {
	m, c, dir := &memory{}, newClock(), filepath.Join(t.TempDir(), "audit")
	l := open(t, audit.Config{Dir: dir, Store: m, Now: c.now})
	change(t, l, m, audit.Record{
		Actor: alice, Action: "list.replace", Objects: []string{"tenants/acme/*"}, Tenants: []string{"acme"},
		Origin: "api", Reason: "a new <office>", Forced: true, Revision: 7,
		Before: json.RawMessage(`[]`), After: json.RawMessage("[\n  \"192.0.2.0/24\"\n]"), Trace: "t1",
	})
	l.Refused(audit.Record{Action: "login", Objects: []string{"keys/bob"}, Origin: "hdp", Error: "wrong secret"})
	zeros := strings.Repeat("0", 64)
	body := `{"@timestamp":"2026-11-22T09:00:00Z","ecs":{"version":"8.17.0"},"user":{"id":"k1","name":"alice"},` +
		`"source":{"ip":"192.0.2.7"},"organization":{"id":["acme"]},"trace":{"id":"t1"},` +
		`"postern":{"objects":["tenants/acme/*"],"origin":"api","forced":true,"revision":7,"before":[],"after":["192.0.2.0/24"],"previous":"` + zeros + `"},` +
		`"event":{"kind":"event","category":["api"],"type":["change"],"action":"list.replace","outcome":"success","reason":"a new \u003coffice\u003e","sequence":1`
	h := fmt.Sprintf("%x", sha256.Sum256([]byte(body)))
	refused := `{"@timestamp":"2026-11-22T09:00:00Z","ecs":{"version":"8.17.0"},"error":{"message":"wrong secret"},` +
		`"postern":{"objects":["keys/bob"],"origin":"hdp","previous":"` + h + `"},` +
		`"event":{"kind":"event","category":["api"],"type":["change","denied"],"action":"login","outcome":"failure","sequence":2`
	want := []string{
		body + `,"hash":"` + h + `"}}`,
		refused + `,"hash":"` + fmt.Sprintf("%x", sha256.Sum256([]byte(refused))) + `"}}`,
	}
	if diff := cmp.Diff(want, lines(t, dir)); diff != "" {
		t.Error(diff)
	}
	for name, mode := range map[string]os.FileMode{dir: 0o700 | os.ModeDir, filepath.Join(dir, "audit-00000000000000000001.jsonl"): 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode() != mode {
			t.Errorf("%s: mode %v, error %v, want mode %v", name, info.Mode(), err, mode)
		}
	}
}

func TestBounds(t *testing.T) {
	m, dir := &memory{}, t.TempDir()
	l := open(t, audit.Config{Dir: dir, Store: m})
	big := json.RawMessage(`"` + strings.Repeat("x", 1<<20) + `"`)
	change(t, l, m, audit.Record{Action: "list.import", After: big})
	l.Refused(audit.Record{Action: "list.import", After: big, Error: strings.Repeat("é", 5000), Objects: make([]string, 90)})
	page, err := l.Query(t.Context(), audit.Query{})
	if err != nil {
		t.Fatal(err)
	}
	digest := fmt.Sprintf(`{"bytes":%d,"sha256":"%x"}`, len(big), sha256.Sum256(big))
	for _, e := range page.Entries {
		if string(e.After) != digest {
			t.Errorf("line %d: after = %.100s, want %s", e.Seq, e.After, digest)
		}
	}
	refused := page.Entries[0]
	if want := strings.Repeat("é", 128) + "..."; refused.Error != want || len(refused.Objects) != 8 {
		t.Errorf("refused: error of %d bytes, %d objects, want %d and 8", len(refused.Error), len(refused.Objects), len(want))
	}
	names := make([]string, 1<<20)
	for i := range names {
		names[i] = "tenants/acme/dataAccess"
	}
	err = l.Change(audit.Record{Action: "apply", Objects: names}, m.commit)
	if want := "write audit line 3: it would be 27263340 bytes long, and at most 16777216 are read; change less at once"; err == nil || err.Error() != want {
		t.Errorf("Change of a million lists: %v, want %s", err, want)
	}
}

func TestChangeNotCommitted(t *testing.T) {
	m, dir := &memory{fail: errors.New("disk gone")}, t.TempDir()
	l := open(t, audit.Config{Dir: dir, Store: m})
	if err := l.Change(audit.Record{Action: "a"}, m.commit); !errors.Is(err, m.fail) {
		t.Fatalf("Change: %v, want %v", err, m.fail)
	}
	m.fail = nil
	change(t, l, m, audit.Record{Action: "b"})
	if got := lines(t, dir); len(got) != 1 || !strings.Contains(got[0], `"sequence":1,`) {
		t.Errorf("lines: %q, want one, the first", got)
	}
}

func TestRefusals(t *testing.T) {
	m, c, dir := &memory{}, newClock(), t.TempDir()
	l := open(t, audit.Config{Dir: dir, Store: m, Now: c.now, Refusals: 2})
	bob := audit.Actor{From: netip.MustParseAddr("2001:db8::1")}
	refuse := func(times int, action string, by audit.Actor) {
		for range times {
			l.Refused(audit.Record{Action: action, Actor: by})
		}
	}
	refuse(3, "login", alice)
	refuse(5, "login", bob)
	refuse(1, "key.create", bob)
	if got := l.Status().Refused; got != 7 {
		t.Errorf("counted %d, want 7", got)
	}
	start := c.at
	c.pass(time.Minute)
	refuse(1, "login", alice)
	page, err := l.Query(t.Context(), audit.Query{Outcome: audit.Failure})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range page.Entries {
		got = append(got, e.Action)
	}
	if diff := cmp.Diff([]string{"login", audit.Refusals, "login", "login"}, got); diff != "" {
		t.Error(diff)
	}
	want := &audit.Refused{Since: start, Total: 7, By: []audit.Cause{
		{Action: "login", Source: bob.From, Count: 5},
		{Action: "key.create", Source: bob.From, Count: 1},
		{Action: "login", Source: alice.From, Count: 1},
	}}
	if diff := cmp.Diff(want, page.Entries[1].Refused, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}

	refuse(2, "login", alice)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := lines(t, dir); !strings.Contains(got[len(got)-1], `"total":1`) {
		t.Errorf("the last line is %s, want the count of 1", got[len(got)-1])
	}
	if _, problems := verify(t, dir, m); problems != "" {
		t.Error(problems)
	}
}

func TestRefusalsBounded(t *testing.T) {
	m, c, dir := &memory{}, newClock(), t.TempDir()
	l := open(t, audit.Config{Dir: dir, Store: m, Now: c.now, Refusals: 1})
	from := netip.MustParseAddr("2001:db8::")
	for range 1001 {
		from = from.Next()
		l.Refused(audit.Record{Action: "login", Actor: audit.Actor{From: from}})
	}
	c.pass(time.Minute)
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	page, err := l.Query(t.Context(), audit.Query{Action: audit.Refusals})
	if err != nil || len(page.Entries) != 1 {
		t.Fatalf("%d entries, error %v, want one", len(page.Entries), err)
	}
	if r := page.Entries[0].Refused; r.Total != 1000 || len(r.By) != 100 {
		t.Errorf("%d of %d causes, want 1000 of 100", r.Total, len(r.By))
	}
}

func TestTimeNeverGoesBack(t *testing.T) {
	m, c, dir := &memory{}, newClock(), t.TempDir()
	cfg := audit.Config{Dir: dir, Store: m, Now: c.now}
	l := open(t, cfg)
	change(t, l, m, audit.Record{Action: "a"})
	c.pass(-time.Hour)
	change(t, l, m, audit.Record{Action: "b"})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	change(t, open(t, cfg), m, audit.Record{Action: "c"})
	for _, line := range lines(t, dir) {
		if !strings.HasPrefix(line, `{"@timestamp":"2026-11-22T09:00:00Z"`) {
			t.Errorf("line %s: earlier than the first", line)
		}
	}
}

// TestClockSetBack sets the clock back as a host's is, whose monotonic reading goes
// on: no line is earlier for that, and the minute of refused attempts ends.
func TestClockSetBack(t *testing.T) {
	m, dir := &memory{}, t.TempDir()
	at := time.Now()
	l := open(t, audit.Config{Dir: dir, Store: m, Refusals: 1, Now: func() time.Time { return at }})
	for range 2 {
		l.Refused(audit.Record{Action: "a"})
	}
	first := at
	at = setBack(at.Add(time.Minute), time.Hour)
	change(t, l, m, audit.Record{Action: "b"})
	page, err := l.Query(t.Context(), audit.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, e := range page.Entries {
		if actions = append(actions, e.Action); !e.Time.Equal(first) {
			t.Errorf("%s: at %v, want %v", e.Action, e.Time, first)
		}
	}
	if diff := cmp.Diff([]string{"b", audit.Refusals, "a"}, actions); diff != "" {
		t.Error(diff)
	}
}

// setBack is t with an earlier wall clock and the same monotonic reading: whole
// seconds of a time that has one stand above its nanoseconds' 30 bits.
func setBack(t time.Time, by time.Duration) time.Time {
	*(*uint64)(unsafe.Pointer(&t)) -= uint64(by/time.Second) << 30
	return t
}

func TestAlso(t *testing.T) {
	m, dir := &memory{}, t.TempDir()
	var told []string
	l := open(t, audit.Config{Dir: dir, Store: m, Also: func(line []byte) { told = append(told, string(line)) }})
	change(t, l, m, audit.Record{Action: "a"})
	l.Refused(audit.Record{Action: "b"})
	if diff := cmp.Diff(lines(t, dir), told); diff != "" {
		t.Error(diff)
	}
}

func TestRotation(t *testing.T) {
	m, dir := &memory{}, t.TempDir()
	cfg := audit.Config{Dir: dir, Store: m, FileSize: 1500, Keep: 2}
	for range 5 { // as many starts
		l := open(t, cfg)
		for range 4 {
			change(t, l, m, audit.Record{Action: "a"})
			l.Refused(audit.Record{Action: "b"})
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
		if info, err := f.Info(); err != nil || info.Size() > cfg.FileSize {
			t.Errorf("%s: %d bytes, error %v, want at most %d", f.Name(), info.Size(), err, cfg.FileSize)
		}
	}
	want := []string{"audit-00000000000000000029.jsonl", "audit-00000000000000000033.jsonl", "audit-00000000000000000037.jsonl"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	report, problems := verify(t, dir, m)
	if report.From != 29 || report.To != 40 || report.Lines != 12 || problems != "" {
		t.Errorf("verify: %+v, want lines 29 to 40 without a problem", report)
	}
}

// TestRotationWeighs has many files of a line each, as a smaller limit leaves
// them: they go when full ones are as many as to keep, and not before.
func TestRotationWeighs(t *testing.T) {
	m, dir := &memory{}, t.TempDir()
	for _, step := range []struct {
		lines int
		cfg   audit.Config
		from  uint64
	}{
		{lines: 4, cfg: audit.Config{FileSize: 1, Keep: 4}, from: 1},
		{lines: 4, cfg: audit.Config{FileSize: 1500, Keep: 2}, from: 1}, // 4 to 7 fill a file
		{lines: 4, cfg: audit.Config{FileSize: 1500, Keep: 2}, from: 4}, // 8 to 11 another
	} {
		step.cfg.Dir, step.cfg.Store = dir, m
		l := open(t, step.cfg)
		for range step.lines {
			change(t, l, m, audit.Record{Action: "a"})
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if report, problems := verify(t, dir, m); report.From != step.from || problems != "" {
			t.Errorf("the journal begins with line %d, want %d\n%s", report.From, step.from, problems)
		}
	}
}

// TestClosed has somebody who is still at it when the log ends, as a handler is
// whose agent stops.
func TestClosed(t *testing.T) {
	m, dir := &memory{}, t.TempDir()
	l := open(t, audit.Config{Dir: dir, Store: m, Refusals: 1})
	change(t, l, m, audit.Record{Action: "a"})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	before := m.clone()
	for range 2 { // one with a line, one counted
		l.Refused(audit.Record{Action: "b"})
	}
	if err := l.Change(audit.Record{Action: "c"}, m.commit); err == nil || err.Error() != "the journal is closed" {
		t.Errorf("Change: %v, want the journal is closed", err)
	}
	for range 2 {
		if err := errors.Join(l.Flush(), l.Close()); err != nil {
			t.Error(err)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 || len(lines(t, dir)) != 1 {
		t.Errorf("%d files, error %v, lines %q, want one file of one line", len(files), err, lines(t, dir))
	}
	if s := l.Status(); s.Refused != 0 || !slices.Equal(m.changes, before.changes) || m.head.Seq != before.head.Seq {
		t.Errorf("%d counted, store %+v, want none and %+v", s.Refused, m, before)
	}
}

func TestConcurrent(t *testing.T) {
	m, dir := &memory{}, t.TempDir()
	l := open(t, audit.Config{Dir: dir, Store: m, FileSize: 8 << 10, Keep: 1000, Refusals: 1 << 20})
	const each = 100
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range each {
				if err := l.Change(audit.Record{Action: "a"}, m.commit); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range each {
				l.Refused(audit.Record{Action: "b"})
			}
		})
	}
	wg.Go(func() {
		for range each {
			report, err := l.Verify(t.Context())
			if err != nil || len(report.Problems) > 0 {
				t.Errorf("verify meanwhile: %v, %v", report.Problems, err)
			}
			if err := l.Flush(); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if report, problems := verify(t, dir, m); report.Lines != 8*each || problems != "" {
		t.Errorf("%d lines, want %d\n%s", report.Lines, 8*each, problems)
	}
	if len(m.pending) != 0 || m.head.Seq != 8*each {
		t.Errorf("the store has %d pending and head %d, want none and %d", len(m.pending), m.head.Seq, 8*each)
	}
}

// TestFileUnwritable puts a directory where the next file should be.
func TestFileUnwritable(t *testing.T) {
	m, dir := &memory{}, t.TempDir()
	l := open(t, audit.Config{Dir: dir, Store: m, FileSize: 1})
	change(t, l, m, audit.Record{Action: "a"})
	inTheWay := filepath.Join(dir, "audit-00000000000000000002.jsonl")
	if err := os.Mkdir(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	change(t, l, m, audit.Record{Action: "b"})
	l.Refused(audit.Record{Action: "c"})
	s := l.Status()
	if want := "open " + inTheWay + ": file exists"; s.Waiting != 1 || s.Refused != 1 || s.Err == nil || s.Err.Error() != want {
		t.Errorf("status %+v, want one waiting, one refused, and %s", s, want)
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	if s := l.Status(); s.Waiting != 0 || s.Err != nil {
		t.Errorf("status %+v, want none waiting, no error", s)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := lines(t, dir); len(got) != 3 || !strings.Contains(got[2], audit.Refusals) {
		t.Errorf("lines %q, want two changes and the count", got)
	}
}

func TestOutboxFull(t *testing.T) {
	m, dir := &memory{}, t.TempDir()
	l := open(t, audit.Config{Dir: dir, Store: m, FileSize: 1})
	inTheWay := filepath.Join(dir, "audit-00000000000000000001.jsonl")
	if err := os.Mkdir(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	for range 10_000 {
		change(t, l, m, audit.Record{Action: "a"})
	}
	err := l.Change(audit.Record{Action: "a"}, m.commit)
	want := "10000 changes are not in the journal yet, and no more are made until they are: audit " + dir + ": open " + inTheWay + ": file exists"
	if err == nil || err.Error() != want {
		t.Errorf("Change: %v, want %s", err, want)
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	l2 := open(t, audit.Config{Dir: dir, Store: m.clone()})
	if got := lines(t, dir); len(got) != 10_000 {
		t.Errorf("the next start wrote %d lines, want 10000", len(got))
	}
	if err := l2.Close(); err != nil {
		t.Fatal(err)
	}
}
