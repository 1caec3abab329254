package access

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Key is somebody's, or some program's, right to call. One that a Keyring has
// handed out never changes.
type Key struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Type        Type      `json:"type"`
	Status      Status    `json:"status"`
	Role        Role      `json:"role,omitempty"`
	Tenant      string    `json:"tenant,omitempty"` // "": bound to none
	User        string    `json:"user,omitempty"`   // of Tenant
	Permissions []string  `json:"permissions,omitempty"`
	Expires     time.Time `json:"expires,omitzero"` // zero: never
	Created     time.Time `json:"created,omitzero"`
	CreatedBy   string    `json:"createdBy,omitempty"`
	Updated     time.Time `json:"updated,omitzero"`
	UpdatedBy   string    `json:"updatedBy,omitempty"`
	Hash        Hash      `json:"hash"`             // of the secret
	TokenAt     time.Time `json:"tokenAt,omitzero"` // when Port's current token was issued
}

// Type is TrustX's word for how long a key is meant to live.
type Type string

const (
	Permanent Type = "PERMANENT"
	Session   Type = "SESSION"
)

// Status is whether a key opens anything.
type Status string

const (
	Active   Status = "ACTIVE"
	Blocked  Status = "BLOCKED"
	Archived Status = "ARCHIVED"
)

// Target is what is acted upon by who manages k.
func (k *Key) Target() Target {
	r := reachOf(k.Tenant, k.User)
	return Target{Scope: r.scope, Tenant: r.tenant, User: r.user}
}

// usable says why k opens nothing at time now, nil where it does.
func (k *Key) usable(now time.Time) error {
	switch {
	case k.Status == Blocked:
		return ErrBlocked
	case k.Status != Active:
		return ErrArchived
	case k.expired(now):
		return ErrExpired
	}
	return nil
}

func (k *Key) expired(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }

// Hash is the SHA-256 of a secret, which is random: no slower hash would make it
// harder to guess.
type Hash [sha256.Size]byte

func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return fmt.Errorf("hash of %d characters, want %d", len(text), hex.EncodedLen(len(h)))
	}
	_, err := hex.Decode(h[:], text)
	return err
}
