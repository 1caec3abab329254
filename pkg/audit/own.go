package audit

import (
	"encoding/json"
	"slices"
	"strings"
)

// For is a line as a tenant may read it; ok is false where it may not. A tenant
// reads what its own keys did as it stands, and of what others did what became of
// its own objects, and the name of staff. What is kept from it, it cannot ask for
// either. Such a line has no place in the chain any more.
func (e *Entry) For(tenant string) (told Entry, ok bool) {
	if !slices.Contains(e.Tenants, tenant) {
		return Entry{}, false
	}
	if e.Actor.Tenant == tenant || e.guess() {
		return *e, true
	}
	alone := len(e.Tenants) == 1
	own := func(name string) bool {
		return name == "tenants/"+tenant || strings.HasPrefix(name, "tenants/"+tenant+"/") || alone && strings.HasPrefix(name, "keys/")
	}
	told = Entry{
		Record: Record{
			Action: e.Action, Type: e.Type, Tenants: []string{tenant},
			Objects:  slices.DeleteFunc(slices.Clone(e.Objects), func(name string) bool { return !own(name) }),
			Origin:   e.Origin,
			Revision: e.Revision, Before: e.Before, After: e.After,
		},
		Seq: e.Seq, Time: e.Time, Outcome: e.Outcome,
	}
	if e.Actor.Tenant == "" {
		told.Actor.Name = e.Actor.Name
	}
	if !slices.Equal(told.Objects, e.Objects) {
		told.Before, told.After = some(e.Before, own), some(e.After, own)
	}
	return told, len(told.Objects) > 0
}

// guess reports whether nobody in particular was turned away at a tenant's door:
// the tenant may know from where, and it is no secret of anybody's.
func (e *Entry) guess() bool {
	return e.Outcome == Failure && e.Actor.ID == "" && len(e.Tenants) == 1
}

// some is the records of an image whose names are wanted. An image of which only
// the hash is kept has none.
func some(content json.RawMessage, wanted func(string) bool) json.RawMessage {
	var image map[string]json.RawMessage
	if json.Unmarshal(content, &image) != nil {
		return nil
	}
	for name := range image {
		if !wanted(name) {
			delete(image, name)
		}
	}
	if len(image) == 0 {
		return nil
	}
	left, _ := json.Marshal(image) // what was JSON always is
	return left
}

// readBy makes e what a reader may know of it, and reports whether that is
// anything.
func (e *Entry) readBy(reader string) bool {
	if reader == "" {
		return true
	}
	told, ok := e.For(reader)
	if ok {
		*e = told
	}
	return ok
}

// copied is the line as it stands in the journal, or as what is left of it.
func (e *Entry) copied(line []byte) (json.RawMessage, error) {
	if e.Line != nil {
		return slices.Clone(line), nil
	}
	return json.Marshal(e.document())
}
