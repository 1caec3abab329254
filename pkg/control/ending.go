package control

import (
	"slices"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// soon is how far ahead the caller is judged: who lets himself in until then has
// most likely mistaken the time.
const soon = time.Hour

// endsSoon finds, where nothing locks the caller out now, what will: an entry that
// the change leaves to admit it and that is about to end.
func (w *writing) endsSoon(t policy.Transition) error {
	c, tenant := w.call, w.call.who().Tenant
	if c.Exempt || !c.From.IsValid() || len(w.lockedOut) > 0 || !ends(t, tenant) {
		return nil
	}
	var ahead policy.Transition
	var err error
	if ahead.Before, err = t.Before.Ahead(tenant, t.After.Now.Add(soon)); err != nil {
		return err
	}
	if ahead.After, err = t.After.Ahead(tenant, t.After.Now.Add(soon)); err != nil {
		return err
	}
	for _, q := range c.admission() {
		if r := shutsOut(ahead, q, " in an hour"); r != nil {
			w.ending = append(w.ending, r)
			break
		}
	}
	return nil
}

// ends reports whether a change leaves an entry that ends soon in a list of the
// system's or the tenant's.
func ends(t policy.Transition, tenant string) bool {
	for at := range t.Image.Lists {
		l := t.After.State.ListAt(at)
		if l == nil || at.Tenant != "" && at.Tenant != tenant {
			continue
		}
		if slices.ContainsFunc(l.Entries, func(e policy.Entry) bool {
			return e.Action == policy.Allow && e.Live(t.After.Now) && !e.Live(t.After.Now.Add(soon))
		}) {
			return true
		}
	}
	return false
}
