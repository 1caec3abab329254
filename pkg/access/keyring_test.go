package access

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// memory is a Store, and its commit a Commit.
type memory struct {
	keys    map[string]Key
	secrets map[string][]byte
	broken  error
}

func (m *memory) Keys() ([]Key, error) { return slices.Collect(maps.Values(m.keys)), m.broken }

func (m *memory) Secret(name string) ([]byte, error) { return m.secrets[name], m.broken }

func (m *memory) PutSecret(name string, value []byte) error {
	if m.secrets == nil {
		m.secrets = map[string][]byte{}
	}
	m.secrets[name] = value
	return m.broken
}

func (m *memory) commit(before, after *Key) error {
	if m.broken != nil {
		return m.broken
	}
	if m.keys == nil {
		m.keys = map[string]Key{}
	}
	if after != nil {
		m.keys[after.ID] = *after
	} else {
		delete(m.keys, before.ID)
	}
	return nil
}

// clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func testRing(t *testing.T) (*Keyring, *memory, *clock) {
	t.Helper()
	store, at := &memory{}, &clock{at: noon}
	ring, err := Open(store, at.now)
	if err != nil {
		t.Fatal(err)
	}
	return ring, store, at
}

func create(t *testing.T, r *Keyring, m *memory, k Key) (*Key, string) {
	t.Helper()
	made, secret, err := r.Create("root", k, m.commit)
	if err != nil {
		t.Fatal(err)
	}
	return made, secret
}

func TestCreate(t *testing.T) {
	ring, store, _ := testRing(t)
	k, secret := create(t, ring, store, Key{Name: "ci", Role: Operator})
	want := &Key{
		ID: k.ID, Name: "ci", Type: Permanent, Status: Active, Role: Operator,
		Created: noon, CreatedBy: "root", Updated: noon, UpdatedBy: "root", Hash: hashOf(secret),
	}
	if diff := cmp.Diff(want, k); diff != "" {
		t.Error(diff)
	}
	if ring.ByID(k.ID) != k || ring.ByName("ci") != k || ring.Len() != 1 {
		t.Error("it is not found")
	}
	again, err := Open(store, ring.now)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(k, again.ByName("ci")); diff != "" {
		t.Errorf("opened again: %s", diff)
	}
}

func TestCreateRefused(t *testing.T) {
	ring, store, _ := testRing(t)
	create(t, ring, store, Key{Name: "ci"})
	_, _, err := ring.Create("root", Key{Name: "ci", Role: "none", Expires: noon}, store.commit)
	const want = `role: "none" is unknown; use admin, operator, tenant-admin, user, reader` + "\n" +
		`name: "ci" is taken; choose another` + "\n" +
		"expires: 2026-07-01T12:00:00Z is past; name a time to come"
	if text(err) != want {
		t.Errorf("Create = %q, want %q", text(err), want)
	}
	store.broken = errors.New("disk full")
	if _, secret, err := ring.Create("root", Key{Name: "cd"}, store.commit); err != store.broken || secret != "" {
		t.Errorf("on a full disk: %q, %v", secret, err)
	}
	if ring.ByName("cd") != nil || ring.Len() != 1 {
		t.Error("what was not stored is there")
	}
}

func TestUpdate(t *testing.T) {
	ring, store, at := testRing(t)
	made, secret := create(t, ring, store, Key{Name: "ci", Permissions: []string{"11"}, Expires: noon.Add(time.Hour)})
	create(t, ring, store, Key{Name: "cd"})
	at.pass(time.Minute)
	after, err := ring.Update("root", made.ID, func(k *Key) error {
		k.Name, k.Status, k.Permissions[0] = "new", Blocked, "29"
		k.ID, k.Hash, k.CreatedBy = "mine", Hash{}, "me"
		return nil
	}, store.commit)
	if err != nil {
		t.Fatal(err)
	}
	want := *made
	want.Name, want.Status, want.Permissions, want.Updated = "new", Blocked, []string{"29"}, noon.Add(time.Minute)
	if diff := cmp.Diff(&want, after); diff != "" {
		t.Error(diff)
	}
	if made.Permissions[0] != "11" {
		t.Error("the key handed out before has changed")
	}
	if ring.ByName("ci") != nil || ring.ByName("new") != after || !after.Hash.opens(secret) {
		t.Error("it is not found by its new name alone")
	}
	at.pass(time.Hour)
	rename := func(to string) error {
		_, err := ring.Update("root", made.ID, func(k *Key) error { k.Name = to; return nil }, store.commit)
		return err
	}
	if err := rename("over"); err != nil {
		t.Errorf("a key that is over is not renamed: %v", err)
	}
	if err := rename("cd"); text(err) != `name: "cd" is taken; choose another` {
		t.Errorf("a name that is taken: %v", err)
	}
	refusal := errors.New("not yours")
	if _, err := ring.Update("root", made.ID, func(*Key) error { return refusal }, store.commit); err != refusal {
		t.Errorf("an edit that refuses: %v", err)
	}
	if _, err := ring.Update("root", "none", nil, store.commit); err != ErrNoKey {
		t.Errorf("no key: %v", err)
	}
}

func TestDelete(t *testing.T) {
	ring, store, _ := testRing(t)
	k, _ := create(t, ring, store, Key{Name: "ci"})
	if err := ring.Delete(k.ID, store.commit); err != nil {
		t.Fatal(err)
	}
	if ring.ByID(k.ID) != nil || ring.ByName("ci") != nil || len(store.keys) != 0 {
		t.Error("it is still there")
	}
	if err := ring.Delete(k.ID, store.commit); err != ErrNoKey {
		t.Errorf("again: %v", err)
	}
}

func TestList(t *testing.T) {
	ring, store, at := testRing(t)
	for i, name := range []string{"ci-b", "ci-a", "100%", "deploy", "ci-c"} {
		k := Key{Name: name}
		if i > 1 {
			k.Expires = noon.Add(time.Duration(9-i) * time.Hour)
		}
		create(t, ring, store, k)
		at.pass(time.Second)
	}
	tests := []struct {
		name  string
		query Query
		want  string
		total int
	}{
		{"all", Query{}, "100% ci-a ci-b ci-c deploy", 5},
		{"wild", Query{Name: "%"}, "100% ci-a ci-b ci-c deploy", 5},
		{"prefix", Query{Name: "ci-%"}, "ci-a ci-b ci-c", 3},
		{"inside", Query{Name: "%ep%"}, "deploy", 1},
		{"both-ends", Query{Name: "c%-%c"}, "ci-c", 1},
		{"exact", Query{Name: "ci-a"}, "ci-a", 1},
		{"other-case", Query{Name: "CI-%"}, "", 0},
		{"page", Query{Size: 2, Page: 1}, "ci-b ci-c", 5},
		{"last-page", Query{Size: 2, Page: 2}, "deploy", 5},
		{"beyond", Query{Size: 2, Page: 1 << 62}, "", 5},
		{"before", Query{Size: 2, Page: -1}, "", 5},
		{"created", Query{Order: ByCreated}, "ci-b ci-a 100% deploy ci-c", 5},
		{"last-created", Query{Order: ByCreated, Descending: true, Size: 1}, "ci-c", 5},
		{"expires", Query{Order: ByExpires}, "ci-c deploy 100% ci-a ci-b", 5},
		{"where", Query{Where: func(k *Key) bool { return k.Expires.IsZero() }}, "ci-a ci-b", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			page, total := ring.List(tt.query)
			names := make([]string, len(page))
			for i, k := range page {
				names[i] = k.Name
			}
			if got := strings.Join(names, " "); got != tt.want || total != tt.total {
				t.Errorf("List = %q of %d, want %q of %d", got, total, tt.want, tt.total)
			}
		})
	}
}

// Names stay unique and nothing is lost with everybody at it at once; -race says
// the rest.
func TestKeyringConcurrently(t *testing.T) {
	ring, store, _ := testRing(t)
	admin, secret := create(t, ring, store, Key{Name: "admin", Role: Admin})
	const writers, names = 4, 25
	made := make([]int, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range names {
				if _, _, err := ring.Create("root", Key{Name: fmt.Sprint("key-", i)}, store.commit); err == nil {
					made[w]++
				}
				_, _ = ring.Update("root", admin.ID, func(k *Key) error { k.Description += "."; return nil }, store.commit)
				if _, err := ring.PortToken(admin.ID, store.commit); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range names {
				if _, err := ring.Authenticate(client, Credentials{Bearer: secret}); err != nil {
					t.Error(err)
				}
				ring.List(Query{Name: "key-%", Size: 5})
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range made {
		total += n
	}
	if total != names || ring.Len() != names+1 || len(store.keys) != names+1 {
		t.Errorf("%d were made of %d names; there are %d, %d stored", total, names, ring.Len(), len(store.keys))
	}
	if n := len(ring.ByID(admin.ID).Description); n != writers*names {
		t.Errorf("%d edits of %d are left", n, writers*names)
	}
}

// TestReservedNames: nobody takes the name of who has no key, and one who has it
// from before can be blocked.
func TestReservedNames(t *testing.T) {
	ring, store, _ := testRing(t)
	for name, taken := range map[string]bool{
		"root": true, "Files": true, " postern": true, "uid 1000": true, "UID 0": true,
		"uid": false, "uid of mine": false, "root-2": false, "posterns": false,
	} {
		want := ""
		if taken {
			want = fmt.Sprintf("name: %q is who did something without a key, in history and the journal; choose another", name)
		}
		if _, _, err := ring.Create("x", Key{Name: name}, store.commit); text(err) != want {
			t.Errorf("create %q: %q, want %q", name, text(err), want)
		}
	}
	k, _ := create(t, ring, store, Key{Name: "ci"})
	old := store.keys[k.ID]
	old.Name = "root"
	store.keys[k.ID] = old
	ring, err := Open(store, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Update("x", k.ID, func(k *Key) error { k.Status = Blocked; return nil }, store.commit); err != nil {
		t.Errorf("block one of old: %v", err)
	}
}

// A tenant has so many keys and no more, whoever makes them.
func TestKeysOfATenant(t *testing.T) {
	r, m, _ := testRing(t)
	other, _ := create(t, r, m, Key{Name: "other", Tenant: "globex"})
	for i := range maxTenantKeys {
		create(t, r, m, Key{Name: fmt.Sprint(i), Tenant: "acme"})
	}
	const full = "tenant: acme has 1000 keys already; delete one of them"
	if _, _, err := r.Create("root", Key{Name: "more", Tenant: "acme"}, m.commit); err == nil || err.Error() != full {
		t.Errorf("made: %v", err)
	}
	if _, err := r.Update("root", other.ID, func(k *Key) error { k.Tenant = "acme"; return nil }, m.commit); err == nil || err.Error() != full {
		t.Errorf("moved: %v", err)
	}
	first := r.ByName("0").ID
	if _, err := r.Update("root", first, func(k *Key) error { k.Status = Blocked; return nil }, m.commit); err != nil {
		t.Errorf("blocked: %v", err)
	}
	if err := r.Delete(first, m.commit); err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []string{"acme", "globex", ""} {
		create(t, r, m, Key{Name: "one of " + tenant, Tenant: tenant})
	}
}
