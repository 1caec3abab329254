package control

import (
	"cmp"
	"context"
	"net/netip"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// Agent keeps the policy in force.
type Agent interface {
	Table() *policy.Table // nil: none yet
	// Revision is the number of what is in force, and whether it is enforced.
	Revision() (number uint64, enforced bool)
	Write(context.Context, policy.Write) (policy.Receipt, error)
	Confirm(ctx context.Context, revision uint64, by policy.Author) error
}

// Past is the history of what people wrote.
type Past interface {
	// History is the commits asked for, the newest first, without images.
	History(HistoryQuery) ([]*policy.Commit, error)
	// Revision is one commit, with what stood before it.
	Revision(number uint64) (*policy.Commit, error)
	// Undo is the image that brings records back to what they were at a revision;
	// nil names are all.
	Undo(to uint64, names func(string) bool) (policy.Image, error)
}

// KeyStore keeps keys, each with the line of the journal that tells of it.
type KeyStore interface {
	PutKey(access.Key, audit.Note) error
	DeleteKey(id string, note audit.Note) error
}

// Log is the journal.
type Log interface {
	Change(rec audit.Record, commit func(audit.Note) error) error
	Refused(audit.Record)
	Query(context.Context, audit.Query) (audit.Page, error)
}

// Config is what a Service works with.
type Config struct {
	Agent    Agent
	Past     Past
	Keys     *access.Keyring
	KeyStore KeyStore
	Log      Log
	Absent   error // why there is no store of keys to read; nil: there is one
	// Seen are the sources last seen at an endpoint; nil: nobody looked.
	Seen func(endpoint string) []netip.Addr
	// MaxEntries is what a list may hold; 0: DefaultMaxEntries.
	MaxEntries int
	Now        func() time.Time // nil: time.Now
}

// DefaultMaxEntries is what a list may hold where nothing else is said.
const DefaultMaxEntries = 10_000

// Service is the control plane. Its methods may be called from many goroutines.
type Service struct{ cfg Config }

// MaxEntries is what a list may hold.
func (s *Service) MaxEntries() int { return s.cfg.MaxEntries }

// New is a Service.
func New(cfg Config) *Service {
	cfg.MaxEntries = cmp.Or(cfg.MaxEntries, DefaultMaxEntries)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Service{cfg}
}

// Table is the policy in force, nil before there is one.
func (s *Service) Table() *policy.Table { return s.cfg.Agent.Table() }

// Revision is the number of what is in force, and whether it is enforced.
func (s *Service) Revision() (number uint64, enforced bool) { return s.cfg.Agent.Revision() }

// Refused tells the journal of an attempt that was turned away before it came
// here.
func (s *Service) Refused(rec audit.Record) { s.cfg.Log.Refused(rec) }

// state is what is in force, or why nothing can be said.
func (s *Service) state() (*policy.State, error) {
	if t := s.Table(); t != nil {
		return t.State, nil
	}
	return nil, refuse(NotKept, "no policy is in force yet")
}
