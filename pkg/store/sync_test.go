package store

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// withSyncs runs do, in which syncs fail by their number, from 1. It does so by a
// system call filter on a thread that ends with it.
func withSyncs(t *testing.T, fails map[int]bool, do func()) {
	t.Helper()
	ended, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer ended.Close()
	listening, done := make(chan error), make(chan struct{})
	var listener int
	go func() {
		defer close(done) // the pipe ends a poll; this is what the race detector sees
		defer end.Close()
		runtime.LockOSThread() // for good: no other goroutine may come to this thread
		var err error
		listener, err = filterSyncs()
		if listening <- err; err == nil {
			do()
		}
	}()
	if err := <-listening; err != nil {
		t.Fatalf("filter the syncs of a thread: %v", err)
	}
	defer unix.Close(listener)
	for n := 1; ; n++ {
		ready := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}, {Fd: int32(ended.Fd()), Events: unix.POLLIN}}
		if err := poll(ready); err != nil {
			t.Fatal(err)
		}
		if ready[0].Revents&unix.POLLIN == 0 && ready[1].Revents != 0 {
			<-done
			return
		}
		if err := answer(listener, fails[n]); err != nil {
			t.Fatal(err)
		}
	}
}

func poll(ready []unix.PollFd) error {
	for {
		if _, err := unix.Poll(ready, -1); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// filterSyncs has this thread's syncs ask whoever listens.
func filterSyncs() (listener int, err error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, err
	}
	ret := func(what uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: what} }
	is := func(call uint32, otherwise uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: otherwise, K: call}
	}
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the call's number
		is(unix.SYS_FDATASYNC, 1),
		ret(unix.SECCOMP_RET_USER_NOTIF),
		is(unix.SYS_FSYNC, 1),
		ret(unix.SECCOMP_RET_USER_NOTIF),
		ret(unix.SECCOMP_RET_ALLOW),
	}
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER|unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return 0, errno
	}
	return int(fd), nil
}

// answer lets a sync go on, or fails it.
func answer(listener int, fail bool) error {
	var asked struct { // struct seccomp_notif
		id uint64
		_  [72]byte
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&asked))); errno != 0 {
		return errno
	}
	told := struct { // struct seccomp_notif_resp
		id    uint64
		val   int64
		err   int32
		flags uint32
	}{id: asked.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	if fail {
		told.err, told.flags = -int32(unix.EIO), 0
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&told))); errno != 0 {
		return errno
	}
	return nil
}

// syncTests are what fails of the syncs of a transaction: of its pages, of its meta
// page, and of that once more.
var syncTests = []struct {
	name  string
	fails map[int]bool
	err   string // PATH stands for the file's
	ends  bool   // nothing is kept any more
}{
	{name: "none"},
	{name: "pages", fails: map[int]bool{1: true}, err: "input/output error"},
	{name: "meta", fails: map[int]bool{2: true}},
	{
		name: "meta-twice", fails: map[int]bool{2: true, 3: true}, ends: true,
		err: "the disk confirms nothing, and what was written last may be there after a restart: sync PATH: input/output error",
	},
}

// TestCommitSync shows that who commits is told what became of it, and that the
// next commit finds the store as the one before was told it is.
func TestCommitSync(t *testing.T) {
	for _, tt := range syncTests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, StoreName)
			s := openStore(t, dir)
			commit := func(text string) error {
				place := tenantList(1)
				c := &policy.Commit{Number: s.Number() + 1, Time: noon, Names: []string{place.String()}}
				l := &policy.List{Entries: []policy.Entry{{Text: text, Range: parse(t, text)}}}
				return s.Commit(c, policy.Image{Lists: map[policy.Place]*policy.List{place: l}}, audit.Note{})
			}
			if err := commit("10.0.0.1"); err != nil {
				t.Fatal(err)
			}
			var err error
			withSyncs(t, tt.fails, func() { err = commit("10.0.0.2") })
			told := strings.ReplaceAll(tt.err, "PATH", path)
			number := uint64(2)
			if told != "" {
				number, told = 1, "commit revision 2 to "+path+": "+told
			}
			if text(err) != told || s.Number() != number {
				t.Errorf("error = %q, number %d, want %q, %d", text(err), s.Number(), told, number)
			}
			if again := commit("10.0.0.3"); tt.ends {
				if text(again) != told {
					t.Errorf("the next: error = %q, want %q", text(again), told)
				}
			} else if again != nil || s.Number() != number+1 {
				t.Errorf("the next: error = %v, number %d, want %d", again, s.Number(), number+1)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			s = openStore(t, dir)
			if all, err := s.Load(); !tt.ends && (err != nil || all.Lists[tenantList(1)].Entries[0].Text != "10.0.0.3") {
				t.Errorf("opened again: %+v, error %v, want the last", all.Lists, err)
			}
		})
	}
}

// TestSaveSync saves what goes back to the revision before one whose saving came
// to something, or did not.
func TestSaveSync(t *testing.T) {
	for _, tt := range syncTests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, SnapshotName)
			db, first := open(t, dir), revision(t)
			second, third := edit(first), edit(first)
			second.State.Tenants.Get("acme").Lists["adminAPI"] = &policy.List{Owner: "x"}
			third.Number++
			for _, rev := range []*policy.Revision{first, second, first} { // the file need not grow for more
				if err := db.Save(rev, noon); err != nil {
					t.Fatal(err)
				}
			}
			var err error
			withSyncs(t, tt.fails, func() { err = db.Save(second, noon) })
			why := strings.ReplaceAll(tt.err, "PATH", path)
			if why != "" {
				why = " in " + path + ": " + why
			}
			if want := "save revision 8" + why; text(err) != want && (err != nil || why != "") {
				t.Errorf("error = %q, want %q", text(err), want)
			}
			err = db.Save(third, noon)
			if tt.ends {
				if want := "save revision 9" + why; text(err) != want {
					t.Errorf("the next: error = %q, want %q", text(err), want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			db.Close()
			if diff := cmp.Diff(third, open(t, dir).Revision(), sameValue); diff != "" {
				t.Errorf("revision opened (-saved +opened):\n%s", diff)
			}
		})
	}
}
