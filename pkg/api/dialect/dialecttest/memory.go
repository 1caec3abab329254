package dialecttest

import (
	"slices"
	"sync"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/audit"
)

// memory is a store of keys, which it forgets, and of the journal's head.
type memory struct {
	mu      sync.Mutex
	head    audit.Note
	pending []audit.Note
}

func (m *memory) note(n audit.Note) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pending, m.head = append(m.pending, n), audit.Note{Seq: n.Seq, Hash: n.Hash}
	return nil
}

func (m *memory) Head() (audit.Note, error) { return m.head, nil }

func (m *memory) Pending() ([]audit.Note, error) { return slices.Clone(m.pending), nil }

func (m *memory) PutHead(n audit.Note) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.head = n
	return nil
}

func (m *memory) Trim(through uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pending = slices.DeleteFunc(m.pending, func(n audit.Note) bool { return n.Seq <= through })
	return nil
}

func (m *memory) Keys() ([]access.Key, error)             { return nil, nil }
func (m *memory) Secret(string) ([]byte, error)           { return nil, nil }
func (m *memory) PutSecret(string, []byte) error          { return nil }
func (m *memory) PutKey(_ access.Key, n audit.Note) error { return m.note(n) }
func (m *memory) DeleteKey(_ string, n audit.Note) error  { return m.note(n) }
