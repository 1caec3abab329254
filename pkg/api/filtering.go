package api

import (
	"net/http"

	"github.com/postern-io/postern/pkg/api/body"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/control"
)

// GetFiltering tells whether lists count.
func (n *native) GetFiltering(w http.ResponseWriter, r *http.Request) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) {
		off, at, err := n.Control.Switched(q.call)
		if err != nil {
			return nil, err
		}
		tag := control.SwitchTag(off)
		q.tag(tag)
		return v1.Filtering{Filtering: v1.FilteringState(tag), At: v1.Pos(at), Etag: etag(tag)}, nil
	})
}

// PutFiltering turns the switch.
func (n *native) PutFiltering(w http.ResponseWriter, r *http.Request) {
	n.write(w, r, &v1.PutFilteringParams{}, func(q *request) ([]control.Change, error) {
		var off bool
		words := map[string]bool{"on": false, "off": true}
		if err := q.body(body.Object(body.Fields{"filtering": body.Choose(&off, words)}, "filtering")); err != nil {
			return nil, err
		}
		return one(control.Switch(off))
	})
}
