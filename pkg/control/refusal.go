package control

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/policy"
)

// Kind is why something was refused, in the word that programs go by.
type Kind string

const (
	Forbidden     Kind = "forbidden"     // the caller may not
	NotFound      Kind = "not-found"     // there is none of that name
	Invalid       Kind = "invalid"       // it cannot be meant
	Unprocessable Kind = "unprocessable" // it makes no policy, or no key
	LocksOut      Kind = "locks-out"     // it shuts out its author, or cuts connections
	WouldOpen     Kind = "would-open"    // what restricts would restrict nothing
	FileOwned     Kind = "file-owned"    // it stands in a file
	Pending       Kind = "pending"       // it waits to be confirmed
	Conflict      Kind = "conflict"      // it clashes with what there is
	Changed       Kind = "changed"       // it is not any more what the caller saw
	Full          Kind = "full"          // it does not fit
	NotKept       Kind = "not-kept"      // the store cannot take it
)

// Refusal is why something was not done. Nothing of it was.
type Refusal struct {
	Kind     Kind
	What     string
	Remedy   string
	Mistakes []Mistake  // with Unprocessable, and a key's with Forbidden
	Names    []string   // of the records it is about
	Address  netip.Addr // with LocksOut
	File     string     // with FileOwned
	Current  *Version   // with Changed: what there is
	Yours    *Version   // with Changed: what was to be
	cause    error
}

// Mistake is one thing wrong with what was sent. Path is where, in the terms of
// the record, or in the file; "" for all of it.
type Mistake struct{ Path, What, Remedy string }

// Version is a record at a moment. List is set where it is one.
type Version struct {
	Tag  string
	List *policy.List
}

func (r *Refusal) Error() string { return r.What }

func (r *Refusal) Unwrap() error { return r.cause }

func refuse(kind Kind, format string, args ...any) *Refusal {
	return &Refusal{Kind: kind, What: fmt.Sprintf(format, args...)}
}

// refusalOf is err as a caller is told of it. What is nobody's fault but the
// agent's stays as it is.
func refusalOf(err error) error {
	if err == nil {
		return nil
	}
	r := &Refusal{What: err.Error(), cause: err}
	if already, ok := errors.AsType[*Refusal](err); ok {
		return already
	} else if owned, ok := errors.AsType[*policy.Owned](err); ok {
		r.Kind, r.File = FileOwned, owned.File
		r.Remedy = "change it in that file"
	} else if unknown, ok := errors.AsType[*policy.Unknown](err); ok {
		r.Kind, r.Names = NotFound, []string{unknown.Name}
	} else if pruned, ok := errors.AsType[*policy.Pruned](err); ok {
		r.Kind, r.What = NotFound, pruned.Error()
	} else if locked, ok := errors.AsType[*policy.Locked](err); ok {
		r.Kind, r.Names = Pending, []string{locked.Name}
		r.Remedy = fmt.Sprintf("confirm revision %d, or wait until it is taken back", locked.Revision)
	} else if cuts, ok := errors.AsType[*policy.LocksOut](err); ok {
		r.Kind, r.Address, r.Names = LocksOut, cuts.Cuts[0].Remote.Addr(), listed(cuts.List)
		r.Remedy = forceIt
	} else if problems, ok := errors.AsType[policy.Problems](err); ok {
		r.Kind, r.Mistakes = Unprocessable, mistakes(problems)
	} else if wrong, ok := errors.AsType[access.Mistakes](err); ok {
		r.Kind, r.Mistakes = Unprocessable, keyMistakes(wrong)
	} else if errors.Is(err, access.ErrNoKey) {
		r.Kind = NotFound
	} else if errors.Is(err, policy.ErrNoRoom) {
		r.Kind = Full
	} else if errors.Is(err, policy.ErrNotKept) {
		r.Kind = NotKept
	} else {
		return err
	}
	return r
}

func listed(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}

func mistakes(ps policy.Problems) []Mistake {
	var all []Mistake
	for _, p := range ps.Errors() {
		all = append(all, Mistake{Path: p.Pos.String(), What: p.What, Remedy: p.Remedy})
	}
	return all
}

func keyMistakes(ms access.Mistakes) []Mistake {
	all := make([]Mistake, len(ms))
	for i, m := range ms {
		all[i] = Mistake{Path: m.Field, What: m.What, Remedy: m.Remedy}
	}
	return all
}
