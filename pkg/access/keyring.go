package access

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// Store is what a Keyring is read from. Keys go into it by a Commit.
type Store interface {
	Keys() ([]Key, error)
	Secret(name string) ([]byte, error) // nil: there is none
	PutSecret(name string, value []byte) error
}

// Commit makes a change of a key durable: after in the place of before, nil being
// no key. It runs under the Keyring's writers' lock, and what it stored counts:
// when it returns nil the change is in force, otherwise nothing has changed. So
// whoever writes the audit beside it knows what exactly came in place of what.
type Commit func(before, after *Key) error

// Keyring is all keys. Any number of goroutines may use it; those that only look
// do not wait.
type Keyring struct {
	now    func() time.Time
	signer *signer
	held   atomic.Pointer[keys]

	writing sync.Mutex

	addresses failures[netip.Prefix] // guesses by where they came from
	targets   failures[Hash]         // and by the name or id of the key they were for
}

// keys are a Keyring's at one moment.
type keys struct{ byID, byName policy.Map[Key] }

// Open reads the keys of a store. The clock must not run backwards.
func Open(store Store, now func() time.Time) (*Keyring, error) {
	stored, err := store.Keys()
	if err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	signer, err := newSigner(store)
	if err != nil {
		return nil, err
	}
	r := &Keyring{now: now, signer: signer}
	byID, byName := map[string]*Key{}, map[string]*Key{}
	for i := range stored {
		byID[stored[i].ID], byName[stored[i].Name] = &stored[i], &stored[i]
	}
	r.held.Store(&keys{policy.MapOf(byID), policy.MapOf(byName)})
	return r, nil
}

// ByID is the key with an id, nil where there is none.
func (r *Keyring) ByID(id string) *Key { return r.held.Load().byID.Get(id) }

// ByName is the key with a name, nil where there is none.
func (r *Keyring) ByName(name string) *Key { return r.held.Load().byName.Get(name) }

// Len is how many keys there are.
func (r *Keyring) Len() int { return r.held.Load().byID.Len() }

// Create adds a key and returns it with its secret, which is told this once. What
// is wrong with it comes back as Mistakes.
func (r *Keyring) Create(by string, k Key, commit Commit) (*Key, string, error) {
	r.writing.Lock()
	defer r.writing.Unlock()
	if k.Type == "" {
		k.Type = Permanent
	}
	if k.Status == "" {
		k.Status = Active
	}
	if ms := r.check(nil, &k); ms != nil {
		return nil, "", ms
	}
	k.ID = newID()
	secret := newSecret(k.ID)
	k.Hash, k.TokenAt = hashOf(secret), time.Time{}
	k.Created, k.CreatedBy = r.now().UTC(), by
	k.Updated, k.UpdatedBy = k.Created, by
	k.Permissions = slices.Clone(k.Permissions)
	if err := r.put(nil, &k, commit); err != nil {
		return nil, "", err
	}
	return &k, secret, nil
}

// Update changes a key as edit does it to a copy. An error of edit's is returned
// and nothing changes. Neither the id nor the secret can be edited.
func (r *Keyring) Update(by, id string, edit func(*Key) error, commit Commit) (*Key, error) {
	r.writing.Lock()
	defer r.writing.Unlock()
	before := r.ByID(id)
	if before == nil {
		return nil, ErrNoKey
	}
	k := *before
	k.Permissions = slices.Clone(k.Permissions)
	if err := edit(&k); err != nil {
		return nil, err
	}
	if ms := r.check(before, &k); ms != nil {
		return nil, ms
	}
	k.ID, k.Hash, k.TokenAt = before.ID, before.Hash, before.TokenAt
	k.Created, k.CreatedBy = before.Created, before.CreatedBy
	k.Updated, k.UpdatedBy = r.now().UTC(), by
	if err := r.put(before, &k, commit); err != nil {
		return nil, err
	}
	return &k, nil
}

// Delete takes a key away. Its tokens end with it.
func (r *Keyring) Delete(id string, commit Commit) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	k := r.ByID(id)
	if k == nil {
		return ErrNoKey
	}
	return r.put(k, nil, commit)
}

// check is what is wrong with k among the others, in the place of before.
func (r *Keyring) check(before, k *Key) error {
	ms := k.check()
	// A name is a login, so there is one namespace for all tenants, and a tenant can
	// find out that another's key has a name. Names are no secrets.
	if other := r.ByName(k.Name); other != nil && other != before {
		ms.add("name", "choose another", "%q is taken", k.Name)
	}
	if reserved(k.Name) && (before == nil || k.Name != before.Name) { // such a key of old can still be blocked
		ms.add("name", "choose another", "%q is who did something without a key, in history and the journal", k.Name)
	}
	if (before == nil || k.Tenant != before.Tenant) && r.ofTenant(k.Tenant) >= maxTenantKeys {
		ms.add("tenant", "delete one of them", "%s has %d keys already", k.Tenant, maxTenantKeys)
	}
	// A key that is over may be renamed or archived, and stays over.
	if k.expired(r.now()) && (before == nil || !k.Expires.Equal(before.Expires)) {
		ms.add("expires", "name a time to come", "%s is past", k.Expires.UTC().Format(time.RFC3339))
	}
	return ms.err()
}

// maxTenantKeys is as many as a tenant needs that gives each of its users one, and
// what one that mints them for mischief is held to: they are all in memory.
const maxTenantKeys = 1000

// ofTenant is how many keys a tenant has; of none, staff's, it does not matter.
func (r *Keyring) ofTenant(id string) int {
	n := 0
	for _, k := range r.held.Load().byID.All() {
		if id != "" && k.Tenant == id {
			n++
		}
	}
	return n
}

// put is one change, committed and then in force.
func (r *Keyring) put(before, after *Key, commit Commit) error {
	if err := commit(before, after); err != nil {
		return err
	}
	held := *r.held.Load()
	if before != nil {
		held.byID, held.byName = held.byID.With(before.ID, nil), held.byName.With(before.Name, nil)
	}
	if after != nil {
		held.byID, held.byName = held.byID.With(after.ID, after), held.byName.With(after.Name, after)
	}
	r.held.Store(&held)
	return nil
}
