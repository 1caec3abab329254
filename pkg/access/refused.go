package access

import (
	"errors"
	"time"
)

// Why nobody was let in. The audit tells them apart; the caller is told no more
// than that it was refused, and when to come again.
var (
	ErrNothing      = errors.New("no credentials")
	ErrMalformed    = errors.New("neither a secret nor a token")
	ErrUnknown      = errors.New("no such key")
	ErrSecret       = errors.New("wrong secret")
	ErrTampered     = errors.New("token's signature does not match")
	ErrTokenExpired = errors.New("token expired")
	ErrBlocked      = errors.New("key is blocked")
	ErrArchived     = errors.New("key is archived")
	ErrExpired      = errors.New("key expired")
	ErrTooMany      = errors.New("too many failures")
)

// ErrNoKey is returned when a key to change is not there.
var ErrNoKey = errors.New("no such key")

// Refused is a refusal with what is known of who it was.
type Refused struct {
	Why        error         // one of those above
	Key        *Key          // the key that was named; nil: none there is
	RetryAfter time.Duration // with ErrTooMany
}

func (r *Refused) Error() string {
	if r.Key != nil {
		return "authenticate as " + r.Key.Name + ": " + r.Why.Error()
	}
	return "authenticate: " + r.Why.Error()
}

func (r *Refused) Unwrap() error { return r.Why }

// guess reports whether the refusal may have been a try at a secret. A token that
// is over, or a key's own secret after the key's end, was none: counting them
// would shut out everybody behind one address for a client that forgot to renew.
func (r *Refused) guess() bool {
	switch r.Why {
	case ErrMalformed, ErrUnknown, ErrSecret, ErrTampered:
		return true
	}
	return false
}
