package store

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// ErrWhole says that there is nothing to restore.
var ErrWhole = errors.New("the store is whole, and the one the snapshot is of")

// Restored is what came back.
type Restored struct {
	Revision  uint64    // as of which
	Time      time.Time // when that came into force
	Damage    string    // what was wrong with the file there was; "": there was none
	Aside     string    // where that lies now
	Revisions int       // that can be gone back to
	Lost      []string  // what did not come back
}

// Restore makes the store in dir anew, where it is damaged, missing or another
// than the snapshot's. It takes what people wrote from the old file if all of it
// can be read there, and else from the snapshot; of keys, history and the
// journal's lines whatever can be read. The new store has the old one's id and
// goes on with its numbers, so that an agent takes it for what it is. Nobody
// else may have either file open.
func Restore(dir string) (*Restored, error) {
	s, err := OpenSnapshot(dir)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Restore()
}

// Restore is the function of its name, for who has the snapshot open.
func (s *Snapshot) Restore() (*Restored, error) {
	path := filepath.Join(filepath.Dir(s.path), StoreName)
	done, err := s.restore(path)
	if err != nil {
		return nil, fmt.Errorf("restore %s: %w", path, err)
	}
	return done, nil
}

func (s *Snapshot) restore(path string) (*Restored, error) {
	if s.saved == nil || s.saved.Store == "" {
		return nil, fmt.Errorf("%s is of no store", s.path)
	}
	done := &Restored{}
	if err := s.judge(path, done); err != nil {
		return nil, err
	}
	p, err := s.salvage(path, done)
	if err != nil {
		return nil, err
	}
	if err := create(path+".restored", p.layOut); err != nil {
		return nil, err
	}
	if done.Damage != "" {
		if done.Aside, err = putAside(path); err != nil {
			return nil, err
		}
	}
	if err := os.Rename(path+".restored", path); err != nil {
		return nil, err
	}
	return done, syncDir(filepath.Dir(path))
}

// judge says what is wrong with the store there is.
func (s *Snapshot) judge(path string, done *Restored) error {
	if !exists(path) {
		return nil
	}
	old, err := Open(filepath.Dir(path), Config{})
	if err == nil {
		defer old.Close()
	}
	switch {
	case errors.Is(err, errInUse):
		return errInUse
	case err != nil:
		done.Damage = errors.Unwrap(err).Error()
	case old.ID() != s.saved.Store:
		done.Damage = "it is another store than the snapshot's"
	case old.Number() < s.saved.Number:
		done.Damage = fmt.Sprintf("it ends with revision %d, before the snapshot's %d", old.Number(), s.saved.Number)
	default:
		return ErrWhole
	}
	return nil
}

// putAside gives a file another name beside the one it has, which is then taken
// over: at no moment is there no store, or an agent would begin an empty one.
func putAside(path string) (string, error) {
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s.damaged-%d", path, n)
		err := os.Link(path, aside)
		if !errors.Is(err, os.ErrExist) {
			return aside, err
		}
	}
}

// parts are what a store is made of.
type parts struct {
	id      string
	history history
	records policy.Image
	commits []*policy.Commit // newest first
	vault   vault
	notes   []audit.Note
}

// salvage gathers the parts, from the damaged file and the snapshot.
func (s *Snapshot) salvage(path string, done *Restored) (*parts, error) {
	p := &parts{id: s.saved.Store}
	if err := s.view(p.vault.readAll); err != nil {
		return nil, err
	}
	old := salvage(path)
	if id, known := old.of(metaBucket)[idKey]; !known || string(id) != p.id {
		old = remains{} // what another store says is not believed
	}
	h, known := old.history()
	done.Revision, done.Time = s.saved.Number, s.saved.Since
	p.history.Number = max(s.saved.Number, h.Number)
	image, whole := old.records(h)
	if known && whole && h.Number >= s.saved.Number {
		p.records, done.Revision = image, h.Number
	} else {
		p.records = s.saved.State.Stored()
		if h.Number > s.saved.Number || !known {
			done.lost("what was written after %s", done.Time.UTC().Format(time.RFC3339))
		}
	}
	p.takeHistory(old, h, done)
	p.takeVault(old, done)
	return p, nil
}

func (r *Restored) lost(format string, args ...any) {
	r.Lost = append(r.Lost, fmt.Sprintf(format, args...))
}

func (p *parts) takeHistory(old remains, h history, done *Restored) {
	p.commits = old.commits(done.Revision)
	done.Revisions = len(p.commits)
	switch {
	case len(p.commits) == 0:
		p.history.Pruned = p.history.Number
		done.lost("the history")
		return
	case done.Revisions > 0 && p.commits[0].Number == h.Number:
		done.Time = p.commits[0].Time
	}
	first := p.commits[len(p.commits)-1].Number
	p.history.Pruned = old.previousOf(first)
	if p.history.Pruned > h.Pruned {
		done.lost("the history before revision %d", first)
	}
}

// takeVault prefers what the file says: a key that is only in the mirror may have
// been deleted since.
func (p *parts) takeVault(old remains, done *Restored) {
	p.vault.keys = pick(old, keysBucket, p.vault.keys, "keys", done)
	p.vault.secrets = pick(old, secretsBucket, p.vault.secrets, "secrets", done)
	if head, ok := old.head(); ok && head.Seq > p.vault.head.Seq {
		p.vault.head = head
	}
	p.notes = old.notes()
}

func pick(old remains, bucket []byte, mirror map[string][]byte, what string, done *Restored) map[string][]byte {
	if old.values != nil && old.whole(bucket) {
		return old.of(bucket)
	}
	done.lost("what happened to %s since the snapshot: look through them, some may have been deleted", what)
	all := maps.Clone(mirror)
	maps.Copy(all, old.of(bucket))
	return all
}

// layOut writes a store of these parts.
func (p *parts) layOut(tx *bbolt.Tx) error {
	h := history{Pruned: p.history.Pruned}
	if err := layOutAs(tx, p.id, h); err != nil {
		return err
	}
	for _, c := range slices.Backward(p.commits) {
		if err := h.add(tx, c); err != nil {
			return err
		}
	}
	h.Number = p.history.Number
	if err := h.putRecords(tx, p.records); err != nil {
		return err
	}
	if err := h.write(tx); err != nil {
		return err
	}
	for _, note := range p.notes {
		if err := putNote(tx, note); err != nil {
			return err
		}
	}
	return p.vault.write(tx)
}
