package control

import (
	"fmt"
	"slices"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/policy"
)

const forceIt = "send it again with force, if that is meant"

// findings are what the guard has to say of a change.
type findings struct {
	lockedOut []*Refusal // the caller, by system lists and then by its own
	softly    bool       // the last of these is only a warning
	ending    []*Refusal // what would lock the caller out, and does so in an hour
	opened    []policy.Opening
	cuts      *policy.LocksOut
}

// check is asked about a change that is compiled and not in force. What the call
// overrules it notes, so that the answer can warn of it.
func (w *writing) check(t policy.Transition) error {
	if err := w.heirs(t); err != nil {
		return err
	}
	w.findings = findings{opened: policy.Opened(t.Before, t.After)}
	if len(t.Cuts) > 0 {
		w.cuts = t.After.LockedOut(t.Cuts)
	}
	refusal := w.locksOut(t)
	if err := w.endsSoon(t); err != nil {
		return err
	}
	if refusal == nil && len(w.opened) > 0 && !w.call.MayOpen {
		refusal = wouldOpen(w.opened)
	}
	if refusal != nil && !w.call.Force {
		return refusal
	}
	w.told.Forced = w.call.Force && (refusal != nil || w.cuts != nil)
	return nil
}

// locksOut compares what the call's own API says to its caller before and after:
// the system's lists, which everybody must pass, and those of the key's own tenant
// and user. The latter are only warned of where the call is lenient: the systems
// that dialects speak for do not mind.
func (w *writing) locksOut(t policy.Transition) *Refusal {
	c := w.call
	if c.Exempt || !c.From.IsValid() {
		return nil
	}
	for i, q := range c.admission() {
		r := shutsOut(t, q, "")
		if r == nil {
			continue
		}
		w.lockedOut = append(w.lockedOut, r)
		if w.softly = i > 0 && c.Lenient; w.softly {
			return nil
		}
		return r
	}
	return nil
}

// admission is what the call's own API asks of its caller: the system's lists, and
// where its key is a tenant's those of the tenant and the user.
func (c *Call) admission() []policy.Query {
	q := policy.Query{Resource: c.Resource, Addr: c.From}
	all := []policy.Query{q}
	if q.Tenant, q.User = c.who().Tenant, c.who().User; q.Tenant != "" {
		all = append(all, q)
	}
	return all
}

// shutsOut is the refusal of a change after which an address that passed does not,
// now or at the time it is told.
func shutsOut(t policy.Transition, q policy.Query, when string) *Refusal {
	before, after := t.Before.Decide(q), t.After.Decide(q)
	if !lets(before) || lets(after) {
		return nil
	}
	r := refuse(LocksOut, "%s calls this API now, and could not any more%s: %s", q.Addr, when, after.Reason)
	r.Address, r.Remedy = q.Addr, forceIt
	if after.List != nil {
		at := after.Place(nil)
		r.What += fmt.Sprintf(" in list %s", at)
		r.Names = listed(at.String())
	}
	return r
}

// lets reports whether who is judged gets through, be it that it is only
// monitored.
func lets(v policy.Verdict) bool { return v.Allow || !v.Enforced }

func wouldOpen(opened []policy.Opening) *Refusal {
	r := refuse(WouldOpen, "%s", opened[0])
	if more := len(opened) - 1; more > 0 {
		r.What = fmt.Sprintf("%s, and %d more", opened[0], more)
	}
	r.What += "; what restricted would restrict nothing"
	r.Remedy = forceIt
	for _, o := range opened {
		r.Names = append(r.Names, o.Name)
	}
	return r
}

// cutting is the refusal of a change that would cut connections. From where they
// come is for who may see the traffic; a tenant's key learns how many they are, and
// the list that cuts them if that is its own.
func (c *Call) cutting(cuts *policy.LocksOut) *Refusal {
	if c.who().May(access.ReadTraffic, whole) {
		r, _ := refusalOf(cuts).(*Refusal)
		return r
	}
	r := refuse(LocksOut, "%d of the connections that there are would be cut", len(cuts.Cuts))
	r.Remedy = forceIt
	if at, err := policy.ParsePlace(cuts.List); err == nil && c.reads(at) {
		r.What += " by list " + cuts.List
		r.Names = listed(cuts.List)
	}
	return r
}

// warnings are what a change does although the guard found it.
func (f *findings) warnings(c *Call) []Warning {
	var all []Warning
	for _, r := range slices.Concat(f.lockedOut, f.ending) {
		all = append(all, Warning{Kind: LocksOut, What: r.What, Names: r.Names})
	}
	for _, o := range f.opened {
		all = append(all, Warning{Kind: WouldOpen, What: o.String(), Names: listed(o.Name)})
	}
	if f.cuts != nil {
		r := c.cutting(f.cuts)
		all = append(all, Warning{Kind: LocksOut, What: r.What, Names: r.Names})
	}
	return all
}

// refusals are the findings that would refuse the change, were it not forced.
func (f *findings) refusals(c *Call) []*Refusal {
	var all []*Refusal
	for i, r := range f.lockedOut {
		if !f.softly || i < len(f.lockedOut)-1 {
			all = append(all, r)
		}
	}
	if len(f.opened) > 0 && !c.MayOpen {
		all = append(all, wouldOpen(f.opened))
	}
	if f.cuts != nil {
		all = append(all, c.cutting(f.cuts))
	}
	return all
}
