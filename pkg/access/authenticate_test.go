package access

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var client = netip.MustParseAddr("192.0.2.7")

func TestAuthenticate(t *testing.T) {
	ring, store, at := testRing(t)
	k, secret := create(t, ring, store, Key{Name: "ci", Role: TenantAdmin, Tenant: "acme"})
	other, otherSecret := create(t, ring, store, Key{Name: "cd"})
	ending, endingSecret := create(t, ring, store, Key{Name: "ending", Expires: noon.Add(time.Hour)})
	gone, goneSecret := create(t, ring, store, Key{Name: "gone"})
	held := map[string]string{}
	for _, key := range []*Key{k, other, ending, gone} {
		held[key.Name] = ring.Issue(key, 3*time.Hour).Text
	}
	short := ring.Issue(k, 0).Text
	set := func(id string, s Status) {
		if _, err := ring.Update("root", id, func(k *Key) error { k.Status = s; return nil }, store.commit); err != nil {
			t.Fatal(err)
		}
	}
	set(other.ID, Blocked)
	if err := ring.Delete(gone.ID, store.commit); err != nil {
		t.Fatal(err)
	}
	archived, archivedSecret := create(t, ring, store, Key{Name: "archived"})
	set(archived.ID, Archived)
	at.pass(time.Hour)
	wrong := strings.Replace(newSecret(k.ID), k.ID, ending.ID, 1)
	tests := []struct {
		name string
		show Credentials
		err  string
		why  error
	}{
		{name: "secret-as-bearer", show: Credentials{Bearer: secret}},
		{name: "token", show: Credentials{Bearer: held["ci"]}},
		{name: "api-key", show: Credentials{Secret: secret}},
		{name: "basic", show: Credentials{Name: "ci", Secret: secret}},
		{name: "client-id", show: Credentials{ID: k.ID, Secret: secret}},
		{name: "nothing", err: "authenticate: no credentials", why: ErrNothing},
		{name: "no-secret", show: Credentials{Name: "ci"}, err: "authenticate as ci: wrong secret", why: ErrSecret},
		{name: "garbage", show: Credentials{Secret: "x"}, err: "authenticate: neither a secret nor a token", why: ErrMalformed},
		{name: "garbage-token", show: Credentials{Bearer: "x"}, err: "authenticate: neither a secret nor a token", why: ErrMalformed},
		{name: "wrong-secret", show: Credentials{Secret: wrong}, err: "authenticate as ending: wrong secret", why: ErrSecret},
		{name: "anothers-secret", show: Credentials{Name: "ci", Secret: endingSecret}, err: "authenticate as ci: wrong secret", why: ErrSecret},
		{name: "unknown-name", show: Credentials{Name: "c", Secret: secret}, err: "authenticate: no such key", why: ErrUnknown},
		{name: "id-as-name", show: Credentials{Name: k.ID, Secret: secret}, err: "authenticate: no such key", why: ErrUnknown},
		{name: "deleted", show: Credentials{Secret: goneSecret}, err: "authenticate: no such key", why: ErrUnknown},
		{name: "deleted-token", show: Credentials{Bearer: held["gone"]}, err: "authenticate: no such key", why: ErrUnknown},
		{name: "blocked", show: Credentials{Secret: otherSecret}, err: "authenticate as cd: key is blocked", why: ErrBlocked},
		{name: "blocked-token", show: Credentials{Bearer: held["cd"]}, err: "authenticate as cd: key is blocked", why: ErrBlocked},
		{name: "archived", show: Credentials{Secret: archivedSecret}, err: "authenticate as archived: key is archived", why: ErrArchived},
		{name: "expired", show: Credentials{Secret: endingSecret}, err: "authenticate as ending: key expired", why: ErrExpired},
		{name: "expired-with-its-token", show: Credentials{Bearer: held["ending"]}, err: "authenticate as ending: token expired", why: ErrTokenExpired},
		{name: "expired-token", show: Credentials{Bearer: short}, err: "authenticate as ci: token expired", why: ErrTokenExpired},
		{name: "tampered", show: Credentials{Bearer: held["ci"][:200] + held["cd"][200:]}, err: "authenticate: token's signature does not match", why: ErrTampered},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ring.Authenticate(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), tt.show)
			if text(err) != tt.err || !errors.Is(err, tt.why) {
				t.Fatalf("error = %q, want %q", text(err), tt.err)
			}
			if err == nil && (c.Name != "ci" || !c.May(WriteLists, tenant("acme", "*"))) {
				t.Errorf("the caller is %+v", c)
			}
			if err == nil && (c.Token != "") != (tt.name == "token") {
				t.Errorf("the caller's token is %q", c.Token)
			}
		})
	}
}

// What a key may now counts, not what it could when a token was issued.
func TestTokenFollowsItsKey(t *testing.T) {
	ring, store, _ := testRing(t)
	k, _ := create(t, ring, store, Key{Name: "ci", Role: Admin})
	token := ring.Issue(k, 0).Text
	_, err := ring.Update("root", k.ID, func(k *Key) error { k.Role = Reader; return nil }, store.commit)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ring.Authenticate(client, Credentials{Bearer: token})
	if err != nil || c.May(WriteLists, Target{}) || !c.May(ReadLists, Target{}) {
		t.Errorf("the caller is %+v, %v", c, err)
	}
}

func TestPortToken(t *testing.T) {
	ring, store, at := testRing(t)
	at.pass(time.Millisecond)
	k, _ := create(t, ring, store, Key{Name: "port"})
	first, err := ring.PortToken(k.ID, store.commit)
	if err != nil || !first.Expires.Equal(noon.Add(3*time.Hour)) {
		t.Fatalf("PortToken = %+v, %v", first, err)
	}
	at.pass(3*time.Hour - time.Second)
	if _, err := ring.Authenticate(client, Credentials{Bearer: first.Text}); err != nil {
		t.Error(err)
	}
	again, err := Open(store, at.now)
	if err != nil {
		t.Fatal(err)
	}
	store.broken = errors.New("disk full")
	if token, err := again.PortToken(k.ID, store.commit); err != nil || token != first {
		t.Errorf("after a restart, a second before its end: %+v, %v, want %+v", token, err, first)
	}
	at.pass(time.Second)
	if token, err := ring.PortToken(k.ID, store.commit); err != store.broken || token.Text != "" {
		t.Errorf("on a full disk: %+v, %v", token, err)
	}
	store.broken = nil
	if token, err := ring.PortToken(k.ID, store.commit); err != nil || token == first {
		t.Errorf("at its end: %+v, %v", token, err)
	}
	if _, err := ring.PortToken("none", store.commit); err != ErrNoKey {
		t.Errorf("no key: %v", err)
	}
}

func TestTooManyFromAnAddress(t *testing.T) {
	ring, store, at := testRing(t)
	k, secret := create(t, ring, store, Key{Name: "ci"})
	expired := ring.Issue(k, time.Second).Text
	at.pass(time.Second)
	guess := func(from string, c Credentials) *Refused {
		_, err := ring.Authenticate(netip.MustParseAddr(from), c)
		var r *Refused
		errors.As(err, &r)
		return r
	}
	for range 20 {
		if r := guess("2001:db8::1", Credentials{Bearer: expired}); r.Why != ErrTokenExpired {
			t.Fatalf("an expired token: %v", r)
		}
	}
	for range 10 {
		if r := guess("2001:db8::1", Credentials{Secret: newSecret("none")}); r.Why != ErrUnknown {
			t.Fatalf("a guess: %v", r)
		}
	}
	at.pass(20 * time.Second)
	if r := guess("2001:db8::ffff:1", Credentials{Secret: secret}); r == nil || r.Why != ErrTooMany || r.RetryAfter != 40*time.Second {
		t.Errorf("from the same /64: %+v", r)
	}
	if r := guess("2001:db8:0:1::1", Credentials{Secret: secret}); r != nil {
		t.Errorf("from another /64: %v", r)
	}
	at.pass(40 * time.Second)
	if r := guess("2001:db8::1", Credentials{Secret: secret}); r != nil {
		t.Errorf("a minute on: %v", r)
	}
}

// TestGuessesTellNoNames: a key that there is and one that there is not answer a
// stranger's guesses alike.
func TestGuessesTellNoNames(t *testing.T) {
	ring, store, _ := testRing(t)
	k, _ := create(t, ring, store, Key{Name: "ci"})
	none := newID()
	for what, pair := range map[string][2]Credentials{
		"name": {{Name: "ci", Secret: "x"}, {Name: "cd", Secret: "x"}},
		"id":   {{ID: k.ID, Secret: "x"}, {ID: none, Secret: "x"}},
		"own":  {{Secret: newSecret(k.ID)}, {Bearer: newSecret(none)}},
	} {
		for i := range 15 {
			var waits [2]time.Duration
			for j, c := range pair {
				_, err := ring.Authenticate(netip.AddrFrom4([4]byte{198, 51, byte(len(what)<<1 + j), byte(i)}), c)
				var r *Refused
				if !errors.As(err, &r) {
					t.Fatalf("%s, guess %d: %v", what, i, err)
				}
				waits[j] = r.RetryAfter
			}
			if waits[0] != waits[1] || what == "name" && (waits[0] > 0) != (i >= 10) {
				t.Errorf("%s, guess %d: who is there waits %s, who is not %s", what, i, waits[0], waits[1])
			}
		}
	}
}

func TestTooManyForAKey(t *testing.T) {
	ring, store, _ := testRing(t)
	k, secret := create(t, ring, store, Key{Name: "ci"})
	for i := range 12 {
		_, err := ring.Authenticate(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), Credentials{Secret: newSecret(k.ID)})
		want := ErrSecret
		if i >= 10 {
			want = ErrTooMany
		}
		var r *Refused
		if !errors.As(err, &r) || r.Why != want || (r.RetryAfter > 0) != (want == ErrTooMany) {
			t.Errorf("guess %d: %+v, want %v", i, r, want)
		}
	}
	if _, err := ring.Authenticate(client, Credentials{Name: "ci", Secret: secret}); err != nil {
		t.Errorf("the key's own secret: %v", err)
	}
}
