package access

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func testSigner(t testing.TB) *signer {
	t.Helper()
	s, err := newSigner(&memory{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestToken(t *testing.T) {
	s := testSigner(t)
	k := &Key{ID: "00aa"}
	token := s.sign(k, "one", noon, TokenLife)
	if want := noon.Add(15 * time.Minute); !token.Expires.Equal(want) {
		t.Errorf("expires %v, want %v", token.Expires, want)
	}
	said, err := s.read(token.Text, token.Expires.Add(-1))
	if want := (claims{"one", "00aa", noon.Unix(), token.Expires.Unix()}); err != nil || said != want {
		t.Errorf("read = %+v, %v, want %+v", said, err, want)
	}
	if again := s.sign(k, "one", noon, TokenLife); again != token {
		t.Error("signed again it is another")
	}
	k.Expires = noon.Add(time.Minute)
	if token := s.sign(k, "one", noon, TokenLife); !token.Expires.Equal(k.Expires) {
		t.Errorf("expires %v, after its key at %v", token.Expires, k.Expires)
	}
}

func TestTokenRefused(t *testing.T) {
	s := testSigner(t)
	token := s.sign(&Key{ID: "00aa"}, "one", noon, TokenLife)
	part := strings.Split(token.Text, ".")
	b64 := base64.RawURLEncoding.EncodeToString
	none := b64([]byte(`{"alg":"none","typ":"JWT"}`))
	forged := b64([]byte(`{"jti":"one","sub":"admin","iat":0,"exp":99999999999}`))
	tests := []struct {
		name, in string
		at       time.Time
		want     error
	}{
		{"empty", "", noon, ErrMalformed},
		{"garbage", "a.b.c", noon, ErrMalformed},
		{"two-parts", part[0] + "." + part[1], noon, ErrMalformed},
		{"four-parts", token.Text + ".", noon, ErrMalformed},
		{"padded", token.Text + "=", noon, ErrMalformed},
		{"loose-bits", token.Text[:len(token.Text)-1] + string(token.Text[len(token.Text)-1]+1), noon, ErrMalformed},
		{"long", strings.Repeat("a", 1<<20), noon, ErrMalformed},
		{"unsigned", part[0] + "." + part[1] + ".", noon, ErrMalformed},
		{"algorithm-none", none + "." + part[1] + ".", noon, ErrMalformed},
		{"algorithm-none-signed", none + "." + part[1] + "." + part[2], noon, ErrMalformed},
		{"other-claims", part[0] + "." + forged + "." + part[2], noon, ErrTampered},
		{"other-key", testSigner(t).sign(&Key{ID: "00aa"}, "one", noon, TokenLife).Text, noon, ErrTampered},
		{"at-its-end", token.Text, token.Expires, ErrTokenExpired},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := s.read(tt.in, tt.at); !errors.Is(err, tt.want) {
				t.Errorf("read = %v, want %v", err, tt.want)
			}
		})
	}
}

// No byte of a token can be another.
func TestTokenTampered(t *testing.T) {
	s := testSigner(t)
	token := s.sign(&Key{ID: "00aa"}, "one", noon, TokenLife).Text
	for i := range len(token) {
		for _, b := range []byte("A_.") {
			changed := token[:i] + string(b) + token[i+1:]
			if _, err := s.read(changed, noon); err == nil && changed != token {
				t.Fatalf("read with %q at byte %d", b, i)
			}
		}
	}
}

func FuzzToken(f *testing.F) {
	s := testSigner(f)
	good := s.sign(&Key{ID: "00aa"}, "one", noon, TokenLife).Text
	f.Add(good)
	f.Add(tokenHeader + ".." + base64.RawURLEncoding.EncodeToString(make([]byte, ed25519.SignatureSize)))
	f.Fuzz(func(t *testing.T, in string) {
		if _, err := s.read(in, noon); err == nil && in != good {
			t.Errorf("read(%q) took what nobody signed", in)
		}
	})
}

func TestNewSigner(t *testing.T) {
	store := &memory{}
	first, err := newSigner(store)
	if err != nil {
		t.Fatal(err)
	}
	again, err := newSigner(store)
	if err != nil || !again.key.Equal(first.key) {
		t.Errorf("opened again it is another key, %v", err)
	}
	store.secrets[signingKey] = []byte("short")
	if _, err := newSigner(store); text(err) != "read the tokens' signing key: 5 bytes, want 32" {
		t.Errorf("a short seed: %v", err)
	}
	store.broken = errors.New("disk full")
	if _, err := newSigner(store); text(err) != "read the tokens' signing key: disk full" {
		t.Errorf("a broken store: %v", err)
	}
}
