package store

import (
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/policy"
)

// load reads everything there is: damage is found at the start, while there is
// still a choice, and not when a list is wanted.
func (s *Snapshot) load(tx *bbolt.Tx) error {
	if err := snapshotLayout.check(tx); err != nil {
		return err
	}
	meta := tx.Bucket(metaBucket)
	if meta.Get([]byte(clockKey)) != nil {
		if err := s.loadClock(meta); err != nil {
			return err
		}
	}
	if meta.Get([]byte(revisionKey)) == nil {
		return nil
	}
	return s.loadRevision(tx)
}

func (s *Snapshot) loadClock(meta *bbolt.Bucket) error {
	text, err := get(meta, clockKey)
	if err != nil {
		return err
	}
	s.latest, err = time.Parse(time.RFC3339Nano, string(text))
	return err
}

func (s *Snapshot) loadRevision(tx *bbolt.Tx) error {
	meta := tx.Bucket(metaBucket)
	var n numbered
	var state policy.State
	for key, into := range map[string]any{revisionKey: &n, stateKey: &state} {
		value, err := get(meta, key)
		if err != nil {
			return err
		}
		if err := getJSON(key, value, into); err != nil {
			return err
		}
	}
	settings, err := get(meta, settingsKey)
	if err != nil {
		return err
	}
	tenants, err := loadTenants(tx.Bucket(tenantsBucket))
	if err != nil {
		return err
	}
	if state.System, err = loadLists(tx.Bucket(listsBucket), tenants); err != nil {
		return err
	}
	state.Tenants = policy.MapOf(tenants)
	s.saved = &policy.Revision{
		Number:   n.Number,
		Since:    n.Since,
		State:    &state,
		Settings: append([]byte(nil), settings...),
		Store:    n.Store,
		Stored:   n.Stored,
	}
	return nil
}

func loadTenants(b *bbolt.Bucket) (map[string]*policy.Tenant, error) {
	tenants := map[string]*policy.Tenant{}
	return tenants, b.ForEach(func(k, v []byte) error {
		id := string(k)
		t, err := readTenant(id, v)
		tenants[id] = t.tenant(id)
		return err
	})
}

// loadLists puts the tenants' lists in their places and returns the system's.
func loadLists(b *bbolt.Bucket, tenants map[string]*policy.Tenant) (map[string]*policy.List, error) {
	system := map[string]*policy.List{}
	return system, b.ForEach(func(k, v []byte) error {
		key := string(k)
		at, err := policy.ParsePlace(key)
		if err != nil {
			return err
		}
		value, err := unseal(key, v)
		if err != nil {
			return fmt.Errorf("list %s: %w", key, err)
		}
		l, err := readList(string(value))
		if err != nil {
			return fmt.Errorf("list %s: %w", key, err)
		}
		if at.Scope == policy.ScopeSystem {
			system[at.Resource] = l
			return nil
		}
		return hang(tenants[at.Tenant], at, l)
	})
}

// hang puts l in its place at its tenant.
func hang(t *policy.Tenant, at policy.Place, l *policy.List) error {
	switch {
	case t == nil:
		return fmt.Errorf("list %s: its tenant has no record", at)
	case at.Scope == policy.ScopeTenant:
		t.Lists[at.Resource] = l
		return nil
	}
	if t.Users[at.User] == nil {
		t.Users[at.User] = map[string]*policy.List{}
	}
	t.Users[at.User][at.Resource] = l
	return nil
}
