package access

import (
	"strconv"
	"time"
)

// Issue makes a token for a caller that came with a key, for TokenLife where life
// is 0. It ends no later than the key.
func (r *Keyring) Issue(k *Key, life time.Duration) Token {
	if life == 0 {
		life = TokenLife
	}
	return r.signer.sign(k, newID(), r.now(), life)
}

// PortToken is the token of a key as Port gives it: the same until it is over,
// also after a restart. When another begins it is committed.
func (r *Keyring) PortToken(id string, commit Commit) (Token, error) {
	if token, ok := r.portToken(r.ByID(id)); ok {
		return token, nil
	}
	r.writing.Lock()
	defer r.writing.Unlock()
	before := r.ByID(id)
	if before == nil {
		return Token{}, ErrNoKey
	}
	if token, ok := r.portToken(before); ok {
		return token, nil
	}
	k := *before
	k.TokenAt = r.now().UTC().Truncate(time.Second)
	if err := r.put(before, &k, commit); err != nil {
		return Token{}, err
	}
	token, _ := r.portToken(&k)
	return token, nil
}

// portToken is k's current token, if that is not over. Its id follows from when
// it was issued, so that it can be made again and need not be kept.
func (r *Keyring) portToken(k *Key) (Token, bool) {
	if k == nil || k.TokenAt.IsZero() {
		return Token{}, false
	}
	token := r.signer.sign(k, k.ID+"-"+strconv.FormatInt(k.TokenAt.Unix(), 36), k.TokenAt, PortTokenLife)
	return token, r.now().Before(token.Expires)
}
