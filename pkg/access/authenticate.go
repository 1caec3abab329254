package access

import (
	"net/netip"
	"strings"
	"time"
)

// Credentials are what a request shows: Bearer, or a secret with or without the
// name (HTTP Basic) or the id (Port's clientId) of its key.
type Credentials struct {
	Bearer string // a token or a secret
	Secret string
	Name   string
	ID     string
}

// Authenticate is who shows these credentials, from an address. Otherwise the
// error is a *Refused.
func (r *Keyring) Authenticate(from netip.Addr, c Credentials) (*Caller, error) {
	now := r.now()
	if strings.HasPrefix(c.Bearer, secretMark) {
		c = Credentials{Secret: c.Bearer}
	}
	if wait := r.addresses.wait(network(from), now); wait > 0 {
		return nil, &Refused{Why: ErrTooMany, RetryAfter: wait}
	}
	k, token, why := r.identify(c, now)
	if why == nil {
		why = k.usable(now)
	}
	if why == nil {
		caller := By(k, from)
		caller.Token = token
		return caller, nil
	}
	refused := &Refused{Why: why, Key: k}
	if refused.guess() {
		r.addresses.add(network(from), now)
		r.count(refused, c.named(), now)
	}
	return nil, refused
}

// Again is a caller as its key has it by now. Who was let in with a key that opens
// nothing any more is not: the error is a *Refused. Whoever has no key is as before.
func (r *Keyring) Again(c *Caller) (*Caller, error) {
	if c.Key == nil {
		return c, nil
	}
	k := r.ByID(c.ID)
	if k == nil {
		return nil, &Refused{Why: ErrUnknown, Key: c.Key}
	}
	if why := k.usable(r.now()); why != nil {
		return nil, &Refused{Why: why, Key: k}
	}
	now := By(k, c.From)
	now.Token = c.Token
	return now, nil
}

// count notes a guess at the key of a name or an id, "" for none. Many for one,
// from wherever, are answered as too many, be there such a key or not: else the
// answer would tell. The key's own secret still opens it, or a stranger who knows
// its name could shut its holder out.
func (r *Keyring) count(refused *Refused, named string, now time.Time) {
	if named == "" {
		return
	}
	subject := hashOf(named) // names come in any length
	if wait := r.targets.wait(subject, now); wait > 0 {
		refused.Why, refused.RetryAfter = ErrTooMany, wait
	}
	r.targets.add(subject, now)
}

// named says whose a secret is meant to be, as it was sent; "" where that is not
// said.
func (c Credentials) named() string {
	id, ok := keyOf(c.Secret)
	switch {
	case c.ID != "":
		return "id " + c.ID
	case c.Name != "":
		return "name " + c.Name
	case ok:
		return "id " + id
	}
	return ""
}

// identify finds the key that credentials prove. It is returned beside an error
// where it was named and not proved.
func (r *Keyring) identify(c Credentials, now time.Time) (k *Key, token string, err error) {
	switch {
	case c.Bearer != "":
		return r.redeem(c.Bearer, now)
	case c == Credentials{}:
		return nil, "", ErrNothing
	default:
		k, err = r.open(c)
	}
	return k, "", err
}

// redeem is the key that a token names.
func (r *Keyring) redeem(text string, now time.Time) (*Key, string, error) {
	said, err := r.signer.read(text, now)
	if err != nil {
		return r.ByID(said.Key), "", err
	}
	k := r.ByID(said.Key)
	if k == nil {
		return nil, "", ErrUnknown
	}
	return k, said.ID, nil
}

// open is the key that a secret opens, which must be the one named, if any is.
func (r *Keyring) open(c Credentials) (*Key, error) {
	id, ok := keyOf(c.Secret)
	var k *Key
	switch {
	case c.ID != "":
		k = r.ByID(c.ID)
	case c.Name != "":
		k = r.ByName(c.Name)
	case !ok:
		return nil, ErrMalformed
	default:
		k = r.ByID(id)
	}
	var held Hash
	if k != nil {
		held = k.Hash
	}
	// Hashed for a key that there is not, too: the time it takes tells nothing.
	switch opens := ok && held.opens(c.Secret); {
	case k == nil:
		return nil, ErrUnknown
	case !opens:
		return k, ErrSecret
	}
	return k, nil
}
