package store

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

const crashEnv = "POSTERN_TEST_STORE"

// TestMain is also the process that TestKilled kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashEnv); dir != "" {
		if err := writeForever(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// writeForever commits, each time the same to two lists, and acknowledges each
// commit with a line.
func writeForever(dir string) error {
	s, err := Open(dir, Config{MaxRevisions: 20})
	if err != nil {
		return err
	}
	for n := s.Number() + 1; ; n++ {
		l := &policy.List{Entries: []policy.Entry{{Text: strconv.FormatUint(n, 10)}}}
		after := policy.Image{Lists: map[policy.Place]*policy.List{tenantList(1): l, tenantList(2): l}}
		before, err := s.Load()
		if err != nil {
			return err
		}
		c := &policy.Commit{Number: n, Names: after.Names(), Before: before}
		if err := s.Commit(c, after, audit.Note{Seq: n, Line: []byte("line")}); err != nil {
			return err
		}
		if _, err := fmt.Println(n); err != nil {
			return err
		}
		if n%7 == 0 {
			if err := s.Journal().Trim(n - 3); err != nil {
				return err
			}
		}
	}
}

// TestKilled kills a writer at random moments: what it acknowledged is there, and
// nothing by halves.
func TestKilled(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	for range 30 {
		acknowledged := killed(t, dir, 1+r.IntN(40))
		checkKilled(t, dir, acknowledged)
	}
}

// killed runs a writer until it acknowledged so many commits, and is the last one
// it acknowledged before it was dead.
func killed(t *testing.T, dir string, commits int) (last uint64) {
	t.Helper()
	writer := exec.Command(os.Args[0])
	writer.Env = append(os.Environ(), crashEnv+"="+dir)
	writer.Stderr = os.Stderr
	out, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ {
		if last, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
			t.Error(err)
		}
		if i == commits {
			_ = writer.Process.Kill()
		}
	}
	_ = writer.Wait() // it was killed
	return last
}

func checkKilled(t *testing.T, dir string, acknowledged uint64) {
	t.Helper()
	s := openStore(t, dir)
	defer s.Close()
	n := s.Number()
	if n < acknowledged || n > acknowledged+1 {
		t.Fatalf("at %d, and %d was acknowledged", n, acknowledged)
	}
	now, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 2; i++ {
		if got := now.Lists[tenantList(i)].Entries[0].Text; got != strconv.FormatUint(n, 10) {
			t.Errorf("list %d is of revision %s at %d", i, got, n)
		}
	}
	back, err := s.Undo(n-1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if l := back.Lists[tenantList(1)]; n > 1 && l.Entries[0].Text != strconv.FormatUint(n-1, 10) {
		t.Errorf("before revision %d stood %s", n, l.Entries[0].Text)
	}
	if head, err := s.Journal().Head(); err != nil || head.Seq != n {
		t.Errorf("head %d, %v at %d", head.Seq, err, n)
	}
}
