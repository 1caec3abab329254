package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"log/syslog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/agent"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/config"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/store"
)

// plane is what people write on: the store, the keys by which they may, and the
// journal of what they did.
type plane struct {
	*store.Store
	file string // the store's
	keys *access.Keyring
	log  *audit.Log
}

// openPlane opens all of it, or nothing.
func openPlane(dir string, c config.API, log *slog.Logger) (*plane, error) {
	s, err := store.Open(dir, store.Config{MaxRevisions: c.Revisions})
	if err != nil {
		return nil, err
	}
	p := &plane{Store: s, file: filepath.Join(dir, store.StoreName)}
	if err := p.open(dir, c, log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return p, nil
}

func (p *plane) open(dir string, c config.API, log *slog.Logger) (err error) {
	if p.keys, err = access.Open(p.Store, time.Now); err != nil {
		return err
	}
	also, err := toSyslog(c.Audit.Syslog, log)
	if err != nil {
		return err
	}
	journal, problems, err := audit.Open(audit.Config{
		Dir:   cmp.Or(c.Audit.Dir, filepath.Join(dir, "audit")),
		Store: p.Store.Journal(), FileSize: c.Audit.FileSize, Keep: c.Audit.Keep, Also: also,
	})
	p.log = journal
	for _, problem := range problems {
		log.Warn("journal", "problem", problem.String())
	}
	return err
}

// Close ends the journal first: the store has its head.
func (p *plane) Close() error { return errors.Join(p.log.Close(), p.Store.Close()) }

// problems are what keeps the store and the journal from being written.
func (p *plane) problems() policy.Problems {
	if p == nil {
		return nil
	}
	var found policy.Problems
	if err := p.Err(); err != nil {
		found = append(found, policy.Problem{
			Pos: policy.Pos{File: p.file}, What: fmt.Sprintf("nothing more is written: %v", err),
			Remedy: "see to the disk, then restart postern; where the store is lost, postern store restore brings it back",
		})
	}
	if s := p.log.Status(); s.Err != nil {
		found = append(found, policy.Problem{
			Pos: policy.Pos{File: s.Dir}, What: fmt.Sprintf("journal: %v; %d lines wait to be written", s.Err, s.Waiting),
			Remedy: "make room, or change api.audit.dir",
		})
	}
	return found
}

// flush brings the journal to disk, each second, until ctx ends.
func (p *plane) flush(ctx context.Context, log *slog.Logger) {
	each := time.NewTicker(time.Second)
	defer each.Stop()
	told := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-each.C:
		}
		now := ""
		if err := p.log.Flush(); err != nil {
			now = err.Error()
		}
		if now != told && now != "" {
			log.Error("journal", "err", now)
		}
		told = now
	}
}

// toSyslog hands lines to syslog beside the journal, which does not wait for it:
// what there is no room for is dropped, the journal has it.
func toSyslog(wanted bool, log *slog.Logger) (func(line []byte), error) {
	if !wanted {
		return nil, nil
	}
	to, err := syslog.New(syslog.LOG_NOTICE|syslog.LOG_AUTHPRIV, "postern")
	if err != nil {
		return nil, fmt.Errorf("journal to syslog: %w", err)
	}
	lines := make(chan []byte, 1024)
	go func() {
		for line := range lines {
			if _, err := to.Write(line); err != nil {
				log.Warn("journal to syslog", "err", err)
			}
		}
	}()
	return func(line []byte) {
		select {
		case lines <- slices.Clone(line):
		default:
		}
	}, nil
}

// past is a store's history for the control plane.
type past struct{ *store.Store }

func (p past) History(q control.HistoryQuery) ([]*policy.Commit, error) {
	return p.Store.History(store.HistoryQuery(q))
}

// absent stands for a plane that could not be opened, for this reason: nobody has
// a key, and nothing can be written.
type absent struct{ why error }

func (a absent) Error() string { return fmt.Sprintf("the store cannot be had: %v", a.why) }

// Is makes it of the kind that a store which can take nothing is.
func (a absent) Is(kind error) bool { return kind == policy.ErrNotKept }

func (a absent) Keys() ([]access.Key, error)                            { return nil, nil }
func (a absent) Secret(string) ([]byte, error)                          { return nil, nil }
func (a absent) PutSecret(string, []byte) error                         { return nil }
func (a absent) PutKey(access.Key, audit.Note) error                    { return a }
func (a absent) DeleteKey(string, audit.Note) error                     { return a }
func (a absent) History(control.HistoryQuery) ([]*policy.Commit, error) { return nil, a }

func (a absent) Revision(uint64) (*policy.Commit, error) { return nil, a }

func (a absent) Undo(uint64, func(string) bool) (policy.Image, error)   { return policy.Image{}, a }
func (a absent) Change(audit.Record, func(audit.Note) error) error      { return a }
func (a absent) Refused(audit.Record)                                   {}
func (a absent) Query(context.Context, audit.Query) (audit.Page, error) { return audit.Page{}, a }

// openSnapshot opens what the agent starts from.
func (d *daemon) openSnapshot(dir string) (agent.Snapshot, error) {
	s, err := store.OpenSnapshot(dir)
	if err != nil {
		return nil, err // and not a Snapshot that holds a nil
	}
	d.kept = s
	return s, nil
}

// openStore opens what people write on, of which the snapshot keeps a copy.
func (d *daemon) openStore(dir string, s agent.Settings) (agent.Store, agent.Journal, error) {
	p, err := openPlane(dir, s.API, d.log)
	if err != nil {
		if _, none := os.Stat(filepath.Join(dir, store.StoreName)); errors.Is(none, fs.ErrNotExist) {
			err = fmt.Errorf("%w: %w", agent.ErrNothingWritten, err)
		}
		return nil, nil, err
	}
	if d.kept != nil {
		d.kept.Mirror(p.Store)
	}
	d.plane = p
	return p, journal{p.log}, nil
}

// service is the control plane over what could be opened.
func (d *daemon) service(c config.API) (*control.Service, *access.Keyring, error) {
	cfg := control.Config{Agent: d.agent, Seen: d.seen, MaxEntries: c.MaxEntries}
	if d.plane != nil {
		cfg.Past, cfg.Keys, cfg.KeyStore, cfg.Log = past{d.plane.Store}, d.plane.keys, d.plane, d.plane.log
		return control.New(cfg), cfg.Keys, nil
	}
	none := absent{d.agent.StoreErr()}
	keys, err := access.Open(none, time.Now)
	cfg.Past, cfg.Keys, cfg.KeyStore, cfg.Log, cfg.Absent = none, keys, none, none, none
	return control.New(cfg), keys, err
}

// seen are the sources last seen at an endpoint of a name.
func (d *daemon) seen(endpoint string) []netip.Addr {
	t := d.agent.Table()
	if t == nil {
		return nil
	}
	ep := t.State.Endpoint(endpoint)
	if ep == nil {
		return nil
	}
	return d.sources.at(ep)
}
