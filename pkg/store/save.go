package store

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/policy"
)

// Save keeps rev, and now with it, in one transaction: after a crash the file
// holds the revision before or this one. A list or tenant that is the same
// pointer as in the revision last saved is not looked at.
func (s *Snapshot) Save(rev *policy.Revision, now time.Time) error {
	err := s.keep(func(tx *bbolt.Tx) error { return s.write(tx, rev, now) })
	if err != nil {
		return fmt.Errorf("save revision %d in %s: %w", rev.Number, s.path, err)
	}
	s.saved, s.latest = rev, later(s.latest, now)
	return nil
}

// Record keeps now as the latest time seen, if it is.
func (s *Snapshot) Record(now time.Time) error {
	err := s.keep(func(tx *bbolt.Tx) error { return s.writeClock(tx, now) })
	if err != nil {
		return fmt.Errorf("record the time in %s: %w", s.path, err)
	}
	s.latest = later(s.latest, now)
	return nil
}

// keep writes, and mirrors the store by the way. A store that cannot be read says
// so elsewhere; its mirror stays as it was.
func (s *Snapshot) keep(write func(*bbolt.Tx) error) error {
	var v *vault
	if s.store != nil {
		v, _ = s.store.vault(s.mirrored)
	}
	err := s.update(func(tx *bbolt.Tx) error {
		if v != nil {
			if err := v.write(tx); err != nil {
				return err
			}
		}
		return write(tx)
	})
	if err == nil && v != nil {
		s.mirrored = v.edition
	}
	return err
}

// numbered is a revision's numbers on disk.
type numbered struct {
	Number uint64    `json:"number"`
	Since  time.Time `json:"since"`
	Store  string    `json:"store,omitempty"`
	Stored uint64    `json:"stored,omitempty"`
}

func (s *Snapshot) write(tx *bbolt.Tx, rev *policy.Revision, now time.Time) error {
	meta := tx.Bucket(metaBucket)
	if err := putJSON(meta, revisionKey, numbered{rev.Number, rev.Since, rev.Store, rev.Stored}); err != nil {
		return err
	}
	if err := put(meta, settingsKey, rev.Settings); err != nil {
		return err
	}
	if err := s.writeClock(tx, now); err != nil {
		return err
	}
	before := &policy.State{}
	if s.saved != nil {
		before = s.saved.State
	}
	if s.saved == nil || !sameBase(before, rev.State) {
		if err := putJSON(meta, stateKey, base(rev.State)); err != nil {
			return err
		}
	}
	d := diff{lists: tx.Bucket(listsBucket), tenants: tx.Bucket(tenantsBucket)}
	return d.state(before, rev.State)
}

// base is s without tenants and lists.
func base(s *policy.State) *policy.State {
	b := *s
	b.System, b.Tenants = nil, policy.Map[policy.Tenant]{}
	return &b
}

// sameBase spares a host with many endpoints the encoding of all of them for
// each change of a list.
func sameBase(a, b *policy.State) bool {
	x, y := base(a), base(b)
	x.Endpoints, y.Endpoints = nil, nil
	return slices.Equal(a.Endpoints, b.Endpoints) && reflect.DeepEqual(x, y)
}

func (s *Snapshot) writeClock(tx *bbolt.Tx, now time.Time) error {
	text := later(s.latest, now).UTC().Format(time.RFC3339Nano)
	return put(tx.Bucket(metaBucket), clockKey, []byte(text))
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// diff writes what one state has and another has not, in the order of the keys:
// bbolt takes a run of ascending keys many times faster than the same keys mixed.
type diff struct{ lists, tenants *bbolt.Bucket }

func (d diff) state(before, after *policy.State) error {
	if err := d.resources(policy.Place{Scope: policy.ScopeSystem}, before.System, after.System); err != nil {
		return err
	}
	tenants := slices.SortedFunc(after.Tenants.Since(before.Tenants), func(a, b policy.Change[policy.Tenant]) int {
		return strings.Compare(a.Name, b.Name)
	})
	for _, t := range tenants {
		if err := d.tenant(t.Name, t.Before, t.After); err != nil {
			return err
		}
	}
	return nil
}

// tenant writes the record and the lists of one tenant; a nil one has neither.
func (d diff) tenant(id string, before, after *policy.Tenant) error {
	if err := d.record(id, after); err != nil {
		return err
	}
	b, a := orNone(before), orNone(after)
	if err := d.resources(policy.Place{Scope: policy.ScopeTenant, Tenant: id}, b.Lists, a.Lists); err != nil {
		return err
	}
	users := slices.Collect(maps.Keys(a.Users))
	for user := range b.Users {
		if _, stays := a.Users[user]; !stays {
			users = append(users, user)
		}
	}
	slices.Sort(users)
	for _, user := range users {
		if err := d.resources(policy.Place{Scope: policy.ScopeUser, Tenant: id, User: user}, b.Users[user], a.Users[user]); err != nil {
			return err
		}
	}
	return nil
}

func orNone(t *policy.Tenant) *policy.Tenant {
	if t == nil {
		return &policy.Tenant{}
	}
	return t
}

func (d diff) record(id string, t *policy.Tenant) error {
	if t == nil {
		return d.tenants.Delete([]byte(id))
	}
	return putJSON(d.tenants, id, tenantOnDisk(t))
}

// resources writes the lists of one owner.
func (d diff) resources(at policy.Place, before, after map[string]*policy.List) error {
	for _, resource := range changed(before, after) {
		at.Resource = resource
		if err := d.list(at.String(), after[resource]); err != nil {
			return err
		}
	}
	return nil
}

func (d diff) list(key string, l *policy.List) error {
	if l == nil {
		return d.lists.Delete([]byte(key))
	}
	return put(d.lists, key, appendList(nil, l))
}

// changed are the keys whose pointers differ, sorted.
func changed[V any](before, after map[string]*V) []string {
	var keys []string
	for k, v := range after {
		if before[k] != v {
			keys = append(keys, k)
		}
	}
	for k := range before {
		if after[k] == nil {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}
