package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// Keys is a page of the keys that the caller may list, and how many there are.
func (s *Service) Keys(c *Call, q access.Query) ([]*access.Key, int, error) {
	if !c.maySome(access.ListKeys) {
		return nil, 0, s.unread(c, "keys.list", nil, &Refusal{Kind: Forbidden, What: c.who().Name + " may not list keys"})
	}
	if s.cfg.Absent != nil {
		return nil, 0, refusalOf(s.cfg.Absent)
	}
	asked := q.Where
	q.Where = func(k *access.Key) bool {
		return c.who().May(access.ListKeys, k.Target()) && (asked == nil || asked(k))
	}
	page, total := s.cfg.Keys.List(q)
	return page, total, nil
}

// Key is the key with an id. One that the caller may not read there is not.
func (s *Service) Key(c *Call, id string) (*access.Key, error) {
	k, err := s.key(c, access.ReadKeys, id)
	return k, s.unread(c, "key.read", keyName(id), err)
}

func (s *Service) key(c *Call, a access.Action, id string) (*access.Key, error) {
	if !c.maySome(a) {
		return nil, &Refusal{Kind: Forbidden, What: c.who().Name + " may not " + doing(a) + " anybody"}
	}
	if s.cfg.Absent != nil {
		return nil, s.cfg.Absent
	}
	k := s.cfg.Keys.ByID(id)
	if k == nil || !c.who().May(a, k.Target()) {
		return nil, &policy.Unknown{What: "key", Name: id}
	}
	return k, nil
}

func keyName(id string) []string { return []string{"keys/" + id} }

// CreateKey makes a key, and its secret, which is told this once. It grants at most
// what the caller may itself.
func (s *Service) CreateKey(c *Call, k access.Key) (*access.Key, string, error) {
	made, secret, err := s.createKey(c, k)
	return made, secret, s.refused(c, "key.create", nil, err)
}

func (s *Service) createKey(c *Call, k access.Key) (*access.Key, string, error) {
	if err := s.manages(c, access.CreateKeys, &k); err != nil {
		return nil, "", err
	}
	if err := s.hasTenant(&k); err != nil {
		return nil, "", err
	}
	return s.cfg.Keys.Create(c.who().Name, k, func(_, made *access.Key) error {
		if err := s.manages(c, access.CreateKeys, made); err != nil {
			return err
		}
		return s.keep(c, "key.create")(nil, made)
	})
}

// hasTenant refuses a new key whose tenant there is not: misspelt, it would be good
// for nothing, until somebody else's tenant has that name.
func (s *Service) hasTenant(k *access.Key) error {
	if k.Tenant == "" {
		return nil
	}
	state, err := s.state()
	if err != nil || state.Tenants.Get(k.Tenant) != nil {
		return err
	}
	r := refuse(Unprocessable, "there is no tenant %s", k.Tenant)
	r.Mistakes = []Mistake{{Path: "tenant", What: r.What, Remedy: "make it first, or name another"}}
	return r
}

// manages refuses a caller, as it is by now, what it may not do to a key, or to one
// that grants more than it has itself. Under the keyring's lock it holds until the
// key is changed.
func (s *Service) manages(c *Call, a access.Action, k *access.Key) error {
	now, err := s.again(c)
	if err != nil {
		return err
	}
	if err := now.lacks(s.Table(), need{a, k.Target()}); err != nil {
		return err
	}
	return now.grants(k)
}

// grants refuses to give a key what the caller does not have.
func (c *Call) grants(k *access.Key) error {
	err := c.who().MayGrant(k)
	if err == nil {
		return nil
	}
	r := refuse(Forbidden, "%s", err)
	if wrong, ok := errors.AsType[access.Mistakes](err); ok {
		r.Mistakes = keyMistakes(wrong)
	}
	return r
}

// UpdateKey changes a key as edit does it to a copy. Neither before nor after it may
// grant more than the caller may itself.
func (s *Service) UpdateKey(c *Call, id string, edit func(*access.Key) error) (*access.Key, error) {
	k, err := s.updateKey(c, id, edit)
	return k, s.refused(c, "key.update", keyName(id), err)
}

func (s *Service) updateKey(c *Call, id string, edit func(*access.Key) error) (*access.Key, error) {
	if _, err := s.key(c, access.UpdateKeys, id); err != nil {
		return nil, err
	}
	return s.cfg.Keys.Update(c.who().Name, id, func(k *access.Key) error {
		if err := s.manages(c, access.UpdateKeys, k); err != nil {
			return err
		}
		if err := edit(k); err != nil {
			return err
		}
		return s.manages(c, access.UpdateKeys, k)
	}, s.keep(c, "key.update"))
}

// DeleteKey takes a key away that grants no more than the caller may itself. Its
// tokens end with it.
func (s *Service) DeleteKey(c *Call, id string) error {
	_, err := s.key(c, access.DeleteKeys, id)
	if err == nil {
		err = s.cfg.Keys.Delete(id, func(k, _ *access.Key) error {
			if err := s.manages(c, access.DeleteKeys, k); err != nil {
				return err
			}
			return s.keep(c, "key.delete")(k, nil)
		})
	}
	return s.refused(c, "key.delete", keyName(id), err)
}

// Token is a token for the caller's own key, for access.TokenLife where life is 0.
func (s *Service) Token(c *Call, life time.Duration) (access.Token, error) {
	if err := s.hasKey(c); err != nil {
		return access.Token{}, err
	}
	return s.cfg.Keys.Issue(c.who().Key, life), nil
}

// PortToken is the token of the caller's own key as Port gives it: the same until
// it is over.
func (s *Service) PortToken(c *Call) (access.Token, error) {
	if err := s.hasKey(c); err != nil {
		return access.Token{}, err
	}
	t, err := s.cfg.Keys.PortToken(c.who().ID, s.keep(c, "token.issue"))
	return t, s.refused(c, "token.issue", keyName(c.who().ID), err)
}

// hasKey refuses who has none, or came with a token: a token that begets tokens
// would never end.
func (s *Service) hasKey(c *Call) error {
	var err error
	if who := c.who(); who.Key == nil || who.Token != "" {
		err = &Refusal{Kind: Forbidden, What: "a token is given for a key's secret", Remedy: "send the secret"}
	}
	return s.refused(c, "token.issue", nil, err)
}

// keep commits a change of a key with its line in the journal.
func (s *Service) keep(c *Call, action string) access.Commit {
	return func(before, after *access.Key) error {
		k := after
		if k == nil {
			k = before
		}
		rec := audit.Record{
			Actor: c.actor(), Action: action, Objects: keyName(k.ID), Tenants: whose(before, after),
			Origin: c.Origin, Reason: c.Reason, Trace: c.Trace, Type: audit.Change,
		}
		switch {
		case before == nil:
			rec.Type = audit.Creation
		case after == nil:
			rec.Type = audit.Deletion
		}
		var err error
		if rec.Before, err = told(before); err != nil {
			return err
		}
		if rec.After, err = told(after); err != nil {
			return err
		}
		return s.cfg.Log.Change(rec, func(n audit.Note) error {
			if after == nil {
				return s.cfg.KeyStore.DeleteKey(k.ID, n)
			}
			return s.cfg.KeyStore.PutKey(*after, n)
		})
	}
}

// whose is the tenant that a change of a key is about. What makes a key another
// tenant's is told to neither: each would learn of the other.
func whose(before, after *access.Key) []string {
	switch {
	case before == nil:
		return listed(after.Tenant)
	case after == nil || before.Tenant == after.Tenant:
		return listed(before.Tenant)
	}
	return nil
}

// Audit is a page of the journal. A tenant's key reads what is about its tenant, as
// far as that is.
func (s *Service) Audit(ctx context.Context, c *Call, q audit.Query) (audit.Page, error) {
	n := need{access.ReadAudit, whole}
	if own := c.who().Tenant; own != "" {
		q.Tenant = cmp.Or(q.Tenant, own)
		q.Reader, n.target = q.Tenant, ofTenant(q.Tenant)
	}
	if err := s.unread(c, "audit.read", nil, c.lacks(s.Table(), n)); err != nil {
		return audit.Page{}, err
	}
	page, err := s.cfg.Log.Query(ctx, q)
	return page, refusalOf(err)
}

// told is a key in the journal: all but the hash of its secret.
func told(k *access.Key) (json.RawMessage, error) {
	if k == nil {
		return nil, nil
	}
	open := *k
	open.Hash = access.Hash{}
	return json.Marshal(open)
}
