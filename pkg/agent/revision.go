package agent

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"

	"github.com/postern-io/postern/pkg/policy"
)

// next is the revision of a state and settings: the one there is where neither
// is new. At a start that one is the revision kept, but with the files' pointers,
// by which later readings go.
func (l *loop) next(s *policy.State, settings []byte) *policy.Revision {
	rev := &policy.Revision{Number: 1, Since: l.clock.now(), State: s, Settings: settings}
	switch {
	case l.rev == nil:
	case !bytes.Equal(l.rev.Settings, settings) || !sameState(l.rev.State, s):
		rev.Number = l.rev.Number + 1
	case l.table == nil || l.lost:
		rev.Number, rev.Since = l.rev.Number, l.rev.Since
	default:
		return l.rev
	}
	return rev
}

func sameState(a, b *policy.State) bool {
	return maps.EqualFunc(a.System, b.System, (*policy.List).Same) && sameTenants(a, b) && sameBase(a, b)
}

func sameTenants(a, b *policy.State) bool {
	for c := range b.Tenants.Since(a.Tenants) {
		if c.Before == nil || c.After == nil || !c.Before.Same(c.After) {
			return false
		}
	}
	return true
}

// sameBase compares what postern.yaml says.
func sameBase(a, b *policy.State) bool {
	x, y := *a, *b
	x.System, y.System = nil, nil
	x.Tenants, y.Tenants = policy.Map[policy.Tenant]{}, policy.Map[policy.Tenant]{}
	return reflect.DeepEqual(x, y)
}

// save keeps the revision in force.
func (l *loop) save() {
	if l.store == nil || l.store.Revision() == l.rev {
		return
	}
	l.stored(l.store.Save(l.rev, l.clock.now()))
}

// recordTime keeps the time, and the revision where that has not worked yet.
func (l *loop) recordTime() {
	switch {
	case l.store == nil:
	case l.saveErr != nil && l.table != nil && !l.lost:
		l.stored(l.store.Save(l.rev, l.clock.now()))
	default:
		l.stored(l.store.Record(l.clock.now()))
	}
}

func (l *loop) stored(err error) {
	if err != nil && l.saveErr == nil {
		l.cfg.Log.Error("revision or time not kept", "err", err)
	}
	l.saveErr = err
}

// encode is s as it is kept.
func (s Settings) encode() []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings always have a form
	}
	return text
}
