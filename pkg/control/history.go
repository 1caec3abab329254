package control

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/policy"
)

// HistoryQuery asks for commits. Its zero value asks for all.
type HistoryQuery struct {
	Before uint64 // those with lower numbers; 0: all
	Limit  int    // at most so many; 0: all
	Name   string // that changed this record, or one below it
	Tenant string // that changed something of this tenant's
	Author string // made by who has this name
}

// History is the commits asked for that the caller may read, the newest first.
// Of what a commit changed, the caller is told what it may read.
func (s *Service) History(c *Call, q HistoryQuery) ([]*policy.Commit, error) {
	n := need{access.ReadHistory, whole}
	if own := c.who().Tenant; own != "" {
		if q.Tenant == "" {
			q.Tenant = own
		}
		n.target = ofTenant(q.Tenant)
	}
	err := c.lacks(s.Table(), n)
	if err == nil && q.Name != "" && !c.knows(q.Name) {
		err = c.noHistory(q.Name)
	}
	if err != nil {
		return nil, s.unread(c, "history.read", listed(q.Name), err)
	}
	commits, err := s.cfg.Past.History(q)
	for i, commit := range commits {
		commits[i] = c.shown(commit)
	}
	return slices.DeleteFunc(commits, func(commit *policy.Commit) bool { return commit == nil }), refusalOf(err)
}

// Commit is one revision, and what stood before it of what the caller may read.
func (s *Service) Commit(c *Call, number uint64) (*policy.Commit, error) {
	commit, err := s.commit(c, number)
	if err == nil {
		if commit = c.shown(commit); commit == nil {
			err = unknownRevision(number)
		}
	}
	return commit, s.unread(c, "revision.read", nil, err)
}

func (s *Service) commit(c *Call, number uint64) (*policy.Commit, error) {
	if !c.maySome(access.ReadHistory) {
		return nil, &Refusal{Kind: Forbidden, What: c.who().Name + " may not read history"}
	}
	if now, _ := s.Revision(); number == 0 || number > now {
		return nil, unknownRevision(number)
	}
	return s.cfg.Past.Revision(number)
}

func unknownRevision(number uint64) error {
	return &policy.Unknown{What: "revision", Name: strconv.FormatUint(number, 10)}
}

// shown is a commit as the caller may know it; nil where it changed nothing that
// the caller may read. Where its author called from is for staff, and for the
// author's own tenant.
func (c *Call) shown(of *policy.Commit) *policy.Commit {
	if c.who().May(access.ReadHistory, whole) {
		return of
	}
	shown := *of
	shown.Names = slices.DeleteFunc(slices.Clone(of.Names), func(name string) bool { return !c.knows(name) })
	if len(shown.Names) == 0 {
		return nil
	}
	shown.Before = part(of.Before, c.knows)
	if of.Author.Tenant != c.who().Tenant {
		shown.Author = policy.Author{Name: of.Author.Name}
		shown.Reason = ""
	}
	return &shown
}

// noHistory refuses to tell of a record: that a revision was found by its name says
// already that it changed the record.
func (c *Call) noHistory(name string) error {
	return &Refusal{Kind: Forbidden, What: c.who().Name + " may not read history of " + name, Names: listed(name)}
}

// knows reports whether the history of a record is the caller's to read.
func (c *Call) knows(name string) bool {
	t := whole
	part := strings.Split(name, "/")
	switch {
	case part[0] == "tenants" && len(part) == 5:
		t = ofUser(part[1], part[3])
	case part[0] == "tenants" && len(part) > 1:
		t = ofTenant(part[1])
	}
	return c.who().May(access.ReadHistory, t)
}

// part is the records of an image whose names are wanted.
func part(of policy.Image, wanted func(string) bool) policy.Image {
	some := policy.Image{Lists: map[policy.Place]*policy.List{}, Tenants: map[string]*policy.TenantRecord{}, Endpoints: map[string]*policy.Endpoint{}}
	for at, l := range of.Lists {
		if wanted(at.String()) {
			some.Lists[at] = l
		}
	}
	for id, r := range of.Tenants {
		if wanted("tenants/" + id) {
			some.Tenants[id] = r
		}
	}
	for name, ep := range of.Endpoints {
		if wanted("endpoints/" + name) {
			some.Endpoints[name] = ep
		}
	}
	if wanted("filtering") {
		some.Filtering = of.Filtering
	}
	return some
}

// Part is some of the state: a list, a tenant with all that is its own, or, where
// neither is said, everything.
type Part struct {
	List   *policy.Place
	Tenant string
}

func (p Part) holds(name string) bool {
	switch {
	case p.List != nil:
		return name == p.List.String()
	case p.Tenant != "":
		return name == "tenants/"+p.Tenant || strings.HasPrefix(name, "tenants/"+p.Tenant+"/")
	}
	return true
}

func (p Part) name() string {
	switch {
	case p.List != nil:
		return p.List.String()
	case p.Tenant != "":
		return "tenants/" + p.Tenant
	}
	return "system"
}

// Diff is what lies between two revisions, of a part and as far as the caller may
// read it; 0 is what there was before the first.
func (s *Service) Diff(c *Call, from, to uint64, p Part) (policy.Difference, error) {
	d, err := s.diff(c, from, to, p)
	return d, s.unread(c, "revision.diff", listed(p.name()), err)
}

func (s *Service) diff(c *Call, from, to uint64, p Part) (policy.Difference, error) {
	switch {
	case !c.maySome(access.ReadHistory):
		return policy.Difference{}, &Refusal{Kind: Forbidden, What: c.who().Name + " may not read history"}
	case p != Part{} && !c.knows(p.name()):
		return policy.Difference{}, c.noHistory(p.name())
	}
	now, _ := s.Revision()
	if from > to {
		from, to = to, from
	}
	if to > now {
		return policy.Difference{}, unknownRevision(to)
	}
	state, err := s.state()
	if err != nil {
		return policy.Difference{}, err
	}
	wanted := func(name string) bool { return p.holds(name) && c.knows(name) }
	before, err := s.cfg.Past.Undo(from, wanted)
	if err != nil {
		return policy.Difference{}, err
	}
	after, err := s.cfg.Past.Undo(to, wanted)
	if err != nil {
		return policy.Difference{}, err
	}
	files, err := s.filesBetween(from, to, wanted)
	if err != nil {
		return policy.Difference{}, err
	}
	theirs := func(name string) bool { return !files[name] }
	d := policy.Differ(part(before, theirs), part(after.Over(before.Kept(state)), theirs))
	d.Prefixes(s.cfg.Now())
	d.Files = slices.Sorted(maps.Keys(files))
	return d, nil
}

// filesBetween are the names of the records that files changed after one revision
// and up to another. What they are now is not what they were then.
func (s *Service) filesBetween(from, to uint64, wanted func(string) bool) (map[string]bool, error) {
	if from == to {
		return nil, nil
	}
	commits, err := s.cfg.Past.History(HistoryQuery{Before: to + 1, Limit: int(to - from)})
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, c := range commits {
		if c.Origin != policy.Files || c.Number <= from || c.Number > to {
			continue
		}
		for _, name := range c.Names {
			if wanted(name) {
				names[name] = true
			}
		}
	}
	return names, nil
}

// Rollback makes a part of what the store holds what it was at a revision, in a
// new one. Keys, tokens and the journal are no part of it.
func (s *Service) Rollback(ctx context.Context, c *Call, to uint64, p Part) (*Result, error) {
	if now, _ := s.Revision(); to > now {
		ch := s.rollback(to, p)
		if err := c.lacks(s.Table(), ch.needs...); err != nil {
			return nil, s.refused(c, ch.verb, listed(ch.name), err)
		}
		return nil, s.refused(c, ch.verb, listed(ch.name), unknownRevision(to))
	}
	return s.Write(ctx, c, s.rollback(to, p))
}

func (s *Service) rollback(to uint64, p Part) Change {
	ch := Change{verb: "revision.rollback", name: p.name()}
	switch {
	case p.List != nil:
		ch.needs = listNeeds(*p.List, true)
	case p.Tenant != "":
		ch.needs = []need{{access.WriteLists, ofTenant(p.Tenant)}}
	default:
		ch.needs = []need{{access.RollBack, whole}}
	}
	ch.edit = func(e *edit) error {
		image, err := s.cfg.Past.Undo(to, p.holds)
		if err != nil {
			return err
		}
		if p.List != nil && p.List.Scope == policy.ScopeEndpoint {
			return e.restoreSecurity(p.List.Endpoint, to, image)
		}
		if err := e.permit(imageNeeds(e.State(), image)...); err != nil {
			return err
		}
		return e.Restore(image)
	}
	return ch
}

// restoreSecurity takes back what an endpoint asks, of which its list is part, and
// leaves the endpoint where it is. An image without it says that it is as it was.
func (e *edit) restoreSecurity(name string, to uint64, image policy.Image) error {
	switch was, changed := image.Endpoints[name]; {
	case e.State().Endpoint(name) == nil:
		return &policy.Unknown{What: "endpoint", Name: name}
	case !changed:
		return nil
	case was == nil:
		r := refuse(NotFound, "there was no endpoint %s at revision %d", name, to)
		r.Names = listed("endpoints/" + name)
		return r
	default:
		return e.RestoreSecurity(name, was)
	}
}

// imageNeeds are the rights it takes to write the records of an image over those
// there are.
func imageNeeds(s *policy.State, i policy.Image) []need {
	var needs []need
	for at := range i.Lists {
		needs = append(needs, listNeeds(at, true)...)
	}
	for id, r := range i.Tenants {
		if was := s.Tenants.Get(id).Record(); was.Tag() != r.Tag() {
			needs = append(needs, recordNeeds(id, was, r)...)
		}
	}
	for name := range i.Endpoints {
		needs = append(needs, need{access.WriteEndpoints, ofEndpoint(name)})
	}
	if i.Filtering != nil {
		needs = append(needs, need{access.SwitchFiltering, whole})
	}
	return needs
}

// Confirm keeps a revision that would be taken back otherwise. The call must have
// come over a connection made after the change: that is what it proves.
func (s *Service) Confirm(ctx context.Context, c *Call, revision uint64) error {
	var objects []string
	commit, err := s.toConfirm(c, revision)
	if err == nil {
		objects = commit.Names
		err = s.cfg.Agent.Confirm(ctx, revision, c.Author())
	}
	return s.refused(c, "revision.confirm", objects, err)
}

// unconfirmed is why the caller may not confirm a commit, as far as it may know what
// that changed.
func (c *Call) unconfirmed(commit *policy.Commit, why error) error {
	shown := c.shown(commit)
	switch {
	case shown == nil:
		return unknownRevision(commit.Number)
	case len(shown.Names) == len(commit.Names):
		return why
	}
	r := refuse(Forbidden, "%s may not confirm revision %d: it changed more than is yours", c.who().Name, commit.Number)
	r.Names = shown.Names
	return r
}

func (s *Service) toConfirm(c *Call, revision uint64) (*policy.Commit, error) {
	if now, _ := s.Revision(); !c.maySome(access.WriteLists) && !c.maySome(access.WriteTenants) {
		return nil, &Refusal{Kind: Forbidden, What: c.who().Name + " may not confirm changes"}
	} else if revision == 0 || revision > now {
		return nil, unknownRevision(revision)
	}
	commit, err := s.cfg.Past.Revision(revision)
	if err != nil {
		return nil, err
	}
	state, err := s.state()
	if err != nil {
		return nil, err
	}
	if err := c.lacks(s.Table(), imageNeeds(state, commit.Before)...); err != nil {
		return nil, c.unconfirmed(commit, err)
	}
	if !c.Since.After(commit.Time) {
		r := refuse(Conflict, "revision %d cannot be confirmed over a connection that is older than it", revision)
		r.Remedy = "make a new connection: that one can be made is what is to be shown"
		return nil, r
	}
	return commit, nil
}
