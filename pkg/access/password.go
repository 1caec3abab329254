package access

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// What a password's hash costs: the least that OWASP holds for enough, since a
// gate computes it for whoever knocks.
const (
	passwordMemory = 19 << 10 // KiB
	passwordTime   = 2
	passwordLanes  = 1
)

// HashPassword is the argon2id hash of a password that somebody chose, with its
// salt and cost, as the reference implementation writes it.
func HashPassword(password string) string {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // it never fails
	key := argon2.IDKey([]byte(password), salt, passwordTime, passwordMemory, passwordLanes, 32)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, passwordMemory, passwordTime, passwordLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}
