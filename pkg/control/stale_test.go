package control

import (
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/access"
)

// What a request began with a good key it does not finish when the key is good no
// more.
func TestStaleCaller(t *testing.T) {
	keep := func(*access.Key, *access.Key) error { return nil }
	update := func(change func(*access.Key)) func(*world, string) error {
		return func(w *world, id string) error {
			_, err := w.ring.Update("root", id, func(k *access.Key) error { change(k); return nil }, keep)
			return err
		}
	}
	const over = "key office is not good any more"
	tests := []struct {
		name               string
		end                func(w *world, id string) error
		write, make, tells string
	}{
		{"deleted", func(w *world, id string) error { return w.ring.Delete(id, keep) }, over, over, over},
		{"blocked", update(func(k *access.Key) { k.Status = access.Blocked }), over, over, over},
		{"expired", func(w *world, _ string) error { w.at = w.at.Add(2 * time.Hour); return nil }, over, over, over},
		{
			"demoted", update(func(k *access.Key) { k.Role = access.Reader }),
			"office may not write lists of tenants/acme/*", "office may not create keys of tenants/acme", "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, acme())
			c := w.as(access.Key{Name: "office", Role: access.TenantAdmin, Tenant: "acme", Expires: noon.Add(time.Hour)}, "10.0.0.7")
			other := w.as(access.Key{Name: "other", Role: access.Reader, Tenant: "acme"}, "10.0.0.7").Caller.ID
			if err := tt.end(w, c.Caller.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(t.Context(), c, Add(place(office), entries("10.0.1.1")...)); text(err) != tt.write {
				t.Errorf("write: %v, want %q", err, tt.write)
			}
			_, secret, err := w.CreateKey(c, access.Key{Name: "n", Role: access.Reader, Tenant: "acme", Expires: noon.Add(time.Hour)})
			if text(err) != tt.make || secret != "" {
				t.Errorf("create a key: %v, want %q", err, tt.make)
			}
			if _, err := w.UpdateKey(c, other, func(k *access.Key) error { k.Description = "x"; return nil }); kindOf(err) != Forbidden {
				t.Errorf("update a key: %v", err)
			}
			if err := w.Permit(c, access.ReadTenants, ofTenant("acme")); text(err) != tt.tells {
				t.Errorf("permit: %v, want %q", err, tt.tells)
			}
		})
	}
}

// A key that ends between the question whether it may make another and the making
// makes none. Each look at the clock takes a third of what it has left.
func TestKeyEndsMeanwhile(t *testing.T) {
	w := newWorld(t, acme())
	end := noon.Add(time.Hour)
	c := w.as(access.Key{Name: "office", Role: access.TenantAdmin, Tenant: "acme", Expires: end}, "10.0.0.7")
	w.step = 20 * time.Minute
	_, secret, err := w.CreateKey(c, access.Key{Name: "n", Role: access.Reader, Tenant: "acme", Expires: end})
	if text(err) != "key office is not good any more" || secret != "" || len(w.store.all) != 1 {
		t.Errorf("error = %v, with %d keys", err, len(w.store.all))
	}
}
