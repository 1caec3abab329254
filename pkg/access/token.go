package access

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Token names a key for some time: a compact JWT, signed with Ed25519.
type Token struct {
	Text    string
	Expires time.Time
}

const (
	// TokenLife is how long a token is good where nobody says.
	TokenLife = 15 * time.Minute
	// PortTokenLife is how long Port's are.
	PortTokenLife = 3 * time.Hour

	signingKey   = "token-signing-key" // the name of its seed in the store
	longestToken = 2048
)

// claims are a token's. Times are in seconds, as RFC 7519 has them.
type claims struct {
	ID      string `json:"jti"`
	Key     string `json:"sub"`
	Issued  int64  `json:"iat"`
	Expires int64  `json:"exp"`
}

// tokenHeader is that of all our tokens. One that says anything else is not ours:
// a header that could choose the algorithm could choose none.
var tokenHeader = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA","typ":"JWT"}`))

// signer makes tokens and reads them.
type signer struct{ key ed25519.PrivateKey }

// newSigner takes the seed from the store, or puts a new one there.
func newSigner(store Store) (*signer, error) {
	seed, err := store.Secret(signingKey)
	if err != nil {
		return nil, fmt.Errorf("read the tokens' signing key: %w", err)
	}
	if seed == nil {
		seed = make([]byte, ed25519.SeedSize)
		_, _ = rand.Read(seed)
		if err := store.PutSecret(signingKey, seed); err != nil {
			return nil, fmt.Errorf("store the tokens' signing key: %w", err)
		}
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("read the tokens' signing key: %d bytes, want %d", len(seed), ed25519.SeedSize)
	}
	return &signer{ed25519.NewKeyFromSeed(seed)}, nil
}

// sign makes the token for k from one time on, at most to the key's own end. Equal
// arguments give equal tokens: Ed25519 draws nothing at random.
func (s *signer) sign(k *Key, id string, from time.Time, life time.Duration) Token {
	until := from.Add(life)
	if k.expired(until) {
		until = k.Expires
	}
	until = until.Truncate(time.Second)
	payload, _ := json.Marshal(claims{id, k.ID, from.Unix(), until.Unix()}) // strings and numbers always do
	text := tokenHeader + "." + base64.RawURLEncoding.EncodeToString(payload)
	signature := ed25519.Sign(s.key, []byte(text))
	return Token{text + "." + base64.RawURLEncoding.EncodeToString(signature), until}
}

// read is what a token says, once it is known to be ours and good at time now.
func (s *signer) read(text string, now time.Time) (claims, error) {
	var c claims
	if len(text) > longestToken {
		return c, ErrMalformed
	}
	header, rest, _ := strings.Cut(text, ".")
	payload, signature, ok := strings.Cut(rest, ".")
	if !ok || header != tokenHeader {
		return c, ErrMalformed
	}
	strict := base64.RawURLEncoding.Strict()
	said, err := strict.DecodeString(payload)
	if err != nil {
		return c, ErrMalformed
	}
	signed, err := strict.DecodeString(signature)
	if err != nil || len(signed) != ed25519.SignatureSize {
		return c, ErrMalformed
	}
	if !ed25519.Verify(s.key.Public().(ed25519.PublicKey), []byte(header+"."+payload), signed) {
		return c, ErrTampered
	}
	if err := json.Unmarshal(said, &c); err != nil {
		return c, ErrMalformed
	}
	if now.Unix() >= c.Expires {
		return c, ErrTokenExpired
	}
	return c, nil
}
