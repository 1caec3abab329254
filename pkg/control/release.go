package control

import (
	"context"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/policy"
)

// Release hands a list over: one whose file is gone to the store, and one of the
// store's to the file that has it too, which is what hand has to bring about. tag is
// what the list's must be; "" and "*": it does not matter.
func (s *Service) Release(ctx context.Context, c *Call, at policy.Place, tag string, hand func() error) (*Result, error) {
	if t := s.Table(); t != nil {
		if l := t.State.ListAt(at); l != nil && l.Orphaned {
			r, err := s.Write(ctx, c, Adopt(at).If(tag))
			if err == nil {
				r.Diff = released(at, l, r.After.State)
			}
			return r, err
		}
	}
	r, err := s.cede(c, at, tag, hand)
	return r, s.refused(c, "list.release", listed(at.String()), err)
}

func (s *Service) cede(c *Call, at policy.Place, tag string, hand func() error) (*Result, error) {
	before, err := s.toCede(c, at, tag)
	if err != nil {
		return nil, err
	}
	if err := hand(); err != nil {
		return nil, err
	}
	r := s.unchanged()
	if l := r.After.State.ListAt(at); l == nil || l.Owner == "" {
		no := refuse(Conflict, "no file has list %s", at)
		no.Names, no.Remedy = listed(at.String()), "write it in a file first"
		return nil, no
	}
	r.Names, r.Diff = listed(at.String()), released(at, before, r.After.State)
	return r, nil
}

// toCede is the store's list, if it may be given up.
func (s *Service) toCede(c *Call, at policy.Place, tag string) (*policy.List, error) {
	if err := c.lacks(s.Table(), need{access.ReloadFiles, whole}); err != nil {
		return nil, err
	}
	state, err := s.state()
	if err != nil {
		return nil, err
	}
	l := state.ListAt(at)
	if err := writable(state, at, l); err != nil {
		return nil, err
	}
	if l == nil {
		return nil, &policy.Unknown{What: "list", Name: at.String()}
	}
	if c.Confirm > 0 {
		no := refuse(Invalid, "a list that is handed over cannot be given back")
		no.Remedy = "leave confirm out"
		return nil, no
	}
	ch := Delete(at).If(tag)
	return l, ch.matches(state)
}

// released is what tells a list before it was handed over from what it is now: that
// it is the same is told too.
func released(at policy.Place, before *policy.List, now *policy.State) policy.Difference {
	was := policy.Image{Lists: map[policy.Place]*policy.List{at: before}}
	d := policy.Differ(was, was.Like(now))
	if len(d.Lists) == 0 {
		d.Lists = []policy.ListDifference{{ListChange: policy.ListChange{At: at, Before: before, After: now.ListAt(at)}}}
	}
	return d
}
