package control

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

// Add adds entries, and makes the list where there is none. One that stands there
// already stays as it is, and is live again where it was over or disabled. Where it
// stands there otherwise, the answer must not be that nothing had to change.
func Add(at policy.Place, entries ...policy.Entry) Change {
	return listChange("list.add", at, func(e *edit, old *policy.List) (*policy.List, error) {
		next := policy.List{}
		if old != nil {
			next = *old
		}
		next.Entries = slices.Clone(next.Entries)
		have := e.standing(next.Entries, len(entries))
		for i := range entries {
			fresh := entries[i]
			k, stands := have[judges(&fresh)]
			if !stands {
				have[judges(&fresh)] = len(next.Entries)
				fresh.By = e.Stamp
				next.Entries = append(next.Entries, fresh)
				continue
			}
			is := &next.Entries[k]
			fresh.Comment = cmp.Or(fresh.Comment, is.Comment) // nothing was said of it
			switch {
			case fresh.Comment == is.Comment && fresh.Disabled == is.Disabled && fresh.Expires.Equal(is.Expires):
			case is.Live(e.Now):
				return nil, otherwise(at, is)
			default:
				fresh.By = e.modified(is.By)
				*is = fresh
			}
		}
		return &next, nil
	})
}

// standing is where the entries stand that judge alike: the live one, if there is.
func (e *edit) standing(entries []policy.Entry, more int) map[judged]int {
	have := make(map[judged]int, len(entries)+more)
	for i := range entries {
		k, known := have[judges(&entries[i])]
		if !known || !entries[k].Live(e.Now) {
			have[judges(&entries[i])] = i
		}
	}
	return have
}

// otherwise refuses to add what stands there with something else said of it.
func otherwise(at policy.Place, is *policy.Entry) error {
	said := "for good"
	if !is.Expires.IsZero() {
		said = "until " + is.Expires.UTC().Format(time.RFC3339)
	}
	if is.Comment != "" {
		said += fmt.Sprintf(", with the comment %q", is.Comment)
	}
	r := refuse(Conflict, "%s stands in %s already, live %s", addr.String(is.Range), at, said)
	r.Names, r.Remedy = listed(at.String()), "change it: PATCH its entry, or postern lists change"
	return r
}
