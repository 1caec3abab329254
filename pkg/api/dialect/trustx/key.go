package trustx

import (
	"encoding/json"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/body"
)

// key is a key as TrustX shows it. Its code is what opens it, and is told when it
// is made.
type key struct {
	CreatedDtm     time.Time     `json:"createdDtm"`
	LastUpdatedDtm time.Time     `json:"lastUpdatedDtm"`
	CreatedBy      string        `json:"createdBy"`
	LastUpdatedBy  string        `json:"lastUpdatedBy"`
	ID             string        `json:"id"`
	Type           access.Type   `json:"type"`
	Code           string        `json:"code,omitempty"`
	Name           string        `json:"name"`
	Description    string        `json:"description"`
	Status         access.Status `json:"status"`
	Permissions    []string      `json:"permissions"`
	ExpiringDtm    *time.Time    `json:"expiringDtm"`
}

func keyOf(k *access.Key) key {
	shown := key{
		CreatedDtm: k.Created, LastUpdatedDtm: k.Updated, CreatedBy: k.CreatedBy, LastUpdatedBy: k.UpdatedBy,
		ID: k.ID, Type: k.Type, Name: k.Name, Description: k.Description, Status: k.Status,
		Permissions: append([]string{}, k.Permissions...),
	}
	if !k.Expires.IsZero() {
		shown.ExpiringDtm = &k.Expires
	}
	return shown
}

// keyBody reads a key into k, and leaves what is not said as it is. What only the
// answers say may come back with it, and says nothing.
func keyBody(k *access.Key, required ...string) body.Shape {
	expires, said := time.Time{}, body.Absent
	fields := body.Fields{
		"name":        body.Text(&k.Name),
		"description": body.Text(&k.Description),
		"type":        body.Choose(&k.Type, words(access.Permanent, access.Session)),
		"status":      body.Choose(&k.Status, words(access.Active, access.Blocked, access.Archived)),
		"permissions": body.Each(&k.Permissions, body.Text),
		"expiringDtm": body.Noted(&said, body.Time(&expires)),
	}
	var ignored json.RawMessage
	for _, name := range []string{"id", "code", "createdDtm", "lastUpdatedDtm", "createdBy", "lastUpdatedBy", "permittedOperations"} {
		fields[name] = body.Raw(&ignored)
	}
	return body.Check(body.Object(fields, required...), func() error {
		if said != body.Absent {
			k.Expires = expires
		}
		return nil
	})
}

func words[T ~string](known ...T) map[string]T {
	all := make(map[string]T, len(known))
	for _, k := range known {
		all[string(k)] = k
	}
	return all
}
