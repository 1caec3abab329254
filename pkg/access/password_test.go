package access

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
)

func TestHashPassword(t *testing.T) {
	const password = "correct horse battery staple"
	hash := HashPassword(password)
	if again := HashPassword(password); again == hash {
		t.Error("two hashes of a password have the same salt")
	}
	var version, memory, time, lanes int
	part := strings.Split(hash, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" {
		t.Fatalf("%q is no argon2id hash", hash)
	}
	if _, err := fmt.Sscanf(part[2]+part[3], "v=%dm=%d,t=%d,p=%d", &version, &memory, &time, &lanes); err != nil {
		t.Fatalf("%q: %v", hash, err)
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(part[4])
	key, err2 := base64.RawStdEncoding.DecodeString(part[5])
	if err1 != nil || err2 != nil || version != argon2.Version || len(salt) < 16 {
		t.Fatalf("%q: %v, %v", hash, err1, err2)
	}
	want := argon2.IDKey([]byte(password), salt, uint32(time), uint32(memory), uint8(lanes), uint32(len(key)))
	if !bytes.Equal(key, want) {
		t.Errorf("%q is not the hash of %q", hash, password)
	}
}
