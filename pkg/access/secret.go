package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/postern-io/postern/pkg/policy"
)

// A secret is psk_<id>_<43 characters of base64url>: it names its key, so that
// one lookup finds the hash to hold it against, and what leaked can be searched
// for. No id has an underscore; the random part may.
const (
	secretMark  = "psk_"
	secretBytes = 32
)

// newSecret makes the secret of a key.
func newSecret(id string) string {
	random := make([]byte, secretBytes)
	_, _ = rand.Read(random) // it never fails: it ends the program instead
	return secretMark + id + "_" + base64.RawURLEncoding.EncodeToString(random)
}

// newID makes an id of a key.
func newID() string {
	random := make([]byte, 8)
	_, _ = rand.Read(random)
	return hex.EncodeToString(random)
}

// keyOf is the id of the key that a secret says it is for, and whether it is a
// secret at all.
func keyOf(secret string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(secret, secretMark)
	if !ok {
		return "", false
	}
	id, random, ok := strings.Cut(rest, "_")
	if !ok || !policy.ValidID(id) || len(random) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return "", false
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(random); err != nil {
		return "", false
	}
	return id, true
}

func hashOf(secret string) Hash { return sha256.Sum256([]byte(secret)) }

// opens reports, in a time that tells nothing, whether secret is the one of h.
func (h Hash) opens(secret string) bool {
	is := hashOf(secret)
	return subtle.ConstantTimeCompare(h[:], is[:]) == 1
}
