package api

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/body"
	v1 "github.com/postern-io/postern/pkg/api/v1"
)

// ListKeys tells the keys that the caller may see. Its cursor is the number of the
// page.
func (n *native) ListKeys(w http.ResponseWriter, r *http.Request) {
	var p v1.ListKeysParams
	n.handle(w, r, &p, func(q *request) (any, error) {
		at := 0
		if q.page.cursor != "" {
			var err error
			if at, err = strconv.Atoi(q.page.cursor); err != nil || at < 0 {
				return nil, wrong("cursor", strconv.Quote(q.page.cursor)+" is none of the keys'", "")
			}
		}
		keys, total, err := n.Control.Keys(q.call, access.Query{
			Page: at, Size: q.page.limit,
			Where: func(k *access.Key) bool {
				return (p.Tenant == nil || *p.Tenant == k.Tenant) && (p.Status == nil || string(*p.Status) == string(k.Status))
			},
		})
		if err != nil {
			return nil, err
		}
		page := v1.KeyPage{Keys: make([]v1.Key, len(keys))}
		for i, k := range keys {
			page.Keys[i] = keyOf(k)
		}
		if (at+1)*q.page.limit < total {
			page.Next = q.more(strconv.Itoa(at + 1))
		}
		return page, nil
	})
}

// GetKey tells a key without its secret.
func (n *native) GetKey(w http.ResponseWriter, r *http.Request, id v1.KeyID) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) {
		k, err := n.Control.Key(q.call, id)
		if err != nil {
			return nil, err
		}
		return keyOf(k), nil
	})
}

// CreateKey makes a key. Its secret is in the answer and nowhere else.
func (n *native) CreateKey(w http.ResponseWriter, r *http.Request) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) {
		var k access.Key
		err := q.body(body.Object(body.Fields{
			"name": body.Text(&k.Name), "description": body.Text(&k.Description),
			"type": word(&k.Type), "role": word(&k.Role), "tenant": body.Text(&k.Tenant), "user": body.Text(&k.User),
			"permissions": body.Each(&k.Permissions, body.Text), "expires": body.Time(&k.Expires),
		}, "name"))
		if err != nil {
			return nil, err
		}
		made, secret, err := n.Control.CreateKey(q.call, k)
		if err != nil {
			return nil, err
		}
		q.status = http.StatusCreated
		w.Header().Set("Location", v1.Base+"/keys/"+made.ID)
		return struct {
			v1.Key
			Secret string `json:"secret"`
		}{keyOf(made), secret}, nil
	})
}

// word is text that the keyring judges, as it does for every API.
func word[T ~string](into *T) body.Shape {
	var text string
	return body.Check(body.Text(&text), func() error { *into = T(text); return nil })
}

// PatchKey changes what is said of a key.
func (n *native) PatchKey(w http.ResponseWriter, r *http.Request, id v1.KeyID) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) {
		var p keyPatch
		if err := q.body(p.shape()); err != nil {
			return nil, err
		}
		k, err := n.Control.UpdateKey(q.call, id, p.apply)
		if err != nil {
			return nil, err
		}
		return keyOf(k), nil
	})
}

// keyPatch is what of a key is to change.
type keyPatch struct {
	k access.Key

	name, description, status, permissions, expires body.Said
}

func (p *keyPatch) shape() body.Shape {
	return body.Check(body.Object(body.Fields{
		"name":        given(&p.name, body.Text(&p.k.Name)),
		"description": given(&p.description, body.Text(&p.k.Description)),
		"status":      given(&p.status, word(&p.k.Status)),
		"permissions": given(&p.permissions, body.Each(&p.k.Permissions, body.Text)),
		"expires":     body.Noted(&p.expires, body.Time(&p.k.Expires)),
	}), func() error {
		if p.name+p.description+p.status+p.permissions+p.expires == body.Absent {
			return &body.Mistake{What: "it changes nothing", Remedy: "write name, description, status, permissions or expires"}
		}
		return nil
	})
}

func (p *keyPatch) apply(k *access.Key) error {
	if p.name != body.Absent {
		k.Name = p.k.Name
	}
	if p.description != body.Absent {
		k.Description = p.k.Description
	}
	if p.status != body.Absent {
		k.Status = p.k.Status
	}
	if p.permissions != body.Absent {
		k.Permissions = p.k.Permissions
	}
	if p.expires != body.Absent {
		k.Expires = p.k.Expires
	}
	return nil
}

// DeleteKey takes a key away.
func (n *native) DeleteKey(w http.ResponseWriter, r *http.Request, id v1.KeyID) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) {
		q.status = http.StatusNoContent
		return nil, n.Control.DeleteKey(q.call, id)
	})
}

// CreateToken trades a key's secret for a token.
func (n *native) CreateToken(w http.ResponseWriter, r *http.Request) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) {
		t, err := n.Control.Token(q.call, 0)
		if err != nil {
			return nil, err
		}
		q.status = http.StatusCreated
		return v1.Token{Token: t.Text, Expires: t.Expires, TokenType: v1.TokenTokenTypeBearer}, nil
	})
}

func keyOf(k *access.Key) v1.Key {
	return v1.Key{
		ID: k.ID, Name: k.Name, Description: k.Description, Type: v1.KeyType(k.Type), Status: v1.KeyStatus(k.Status),
		Role: v1.Role(k.Role), Tenant: k.Tenant, User: k.User, Permissions: orNone(slices.Clone(k.Permissions)),
		Expires: k.Expires, Created: k.Created, CreatedBy: k.CreatedBy, Updated: k.Updated, UpdatedBy: k.UpdatedBy,
	}
}
