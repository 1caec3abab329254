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
	rev := &policy.Revision{Number: l.number() + 1, Since: l.clock.now(), State: s, Settings: settings}
	if l.rev != nil {
		rev.Store, rev.Stored = l.rev.Store, l.rev.Stored
	}
	switch {
	case l.rev == nil:
	case !bytes.Equal(l.rev.Settings, settings) || !sameState(l.rev.State, s):
	case l.table == nil || l.lost:
		rev.Number, rev.Since = l.rev.Number, l.rev.Since
	default:
		return l.rev
	}
	return rev
}

// number is the last revision's.
func (l *loop) number() uint64 {
	var n uint64
	if l.rev != nil {
		n = l.rev.Number
	}
	if l.store != nil {
		n = max(n, l.store.Number())
	}
	return n
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

// save has the revision in force kept to start from.
func (l *loop) save() { l.scribe.save(l.rev, l.clock.now()) }

// recordTime keeps the time, and the revision where that has not worked yet.
func (l *loop) recordTime() {
	err := l.scribe.record(l.clock.now())
	if err != nil && l.timeErr == nil {
		l.cfg.Log.Error("time not kept", "err", err)
	}
	l.timeErr = err
	if l.saveErr != nil && l.table != nil && !l.lost {
		l.save()
	}
}

// saved takes what became of saving a revision.
func (l *loop) saved(err error) {
	if err != nil && l.saveErr == nil {
		l.cfg.Log.Error("revision not kept", "err", err)
	}
	if told := l.saveErr; told != nil || err != nil {
		l.saveErr = err
		l.show()
	}
}

// encode is s as it is kept.
func (s Settings) encode() []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and numbers always have a form
	}
	return text
}
