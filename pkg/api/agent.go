package api

import (
	"context"
	"net/http"

	"github.com/postern-io/postern/pkg/access"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/policy"
)

// GetStatus tells how the agent is.
func (n *native) GetStatus(w http.ResponseWriter, r *http.Request) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) {
		var st *Status
		err := n.Control.Do(q.call, access.ReadStatus, func() (err error) {
			st, err = n.status(r.Context())
			return err
		})
		return st, err
	})
}

func (n *native) status(ctx context.Context) (*Status, error) {
	st, err := n.Runtime.Status(ctx)
	if err != nil {
		return nil, err
	}
	traffic, err := n.Runtime.Traffic()
	if err != nil {
		return nil, err
	}
	st.describe(n.Control.Table(), traffic)
	return &st, nil
}

// GetVersion tells which agent this is.
func (n *native) GetVersion(w http.ResponseWriter, r *http.Request) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) {
		err := n.Control.Do(q.call, access.ReadStatus, func() error { return nil })
		return v1.Version{Version: n.Version, API: "1"}, err
	})
}

// Reload reads the files now.
func (n *native) Reload(w http.ResponseWriter, r *http.Request) {
	n.handle(w, r, &v1.ReloadParams{}, func(q *request) (any, error) {
		err := n.Control.Do(q.call, access.ReloadFiles, func() error {
			return n.Runtime.Reload(q.Context(), q.order("files.reload"))
		})
		if err != nil {
			return nil, err
		}
		number, enforced := n.Control.Revision()
		told := v1.Written{Revision: number, Enforced: enforced, Names: []string{}, Lists: []v1.ListChange{}, Warnings: []v1.Warning{}}
		return told, nil
	})
}

// ListPublished tells the addresses that customers open in their own firewalls.
func (n *native) ListPublished(w http.ResponseWriter, r *http.Request) {
	n.handle(w, r, &noParams{}, func(*request) (any, error) {
		return v1.PublishedList{Published: append([]v1.Published{}, n.Published...)}, nil
	})
}

// GetDocumentYAML tells the API's document.
func (n *native) GetDocumentYAML(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(v1.YAML) // a caller that is gone needs no answer
}

// GetDocumentJSON tells the same as JSON.
func (n *native) GetDocumentJSON(w http.ResponseWriter, r *http.Request) {
	text, err := v1.JSON()
	if err != nil {
		n.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

// WatchEvents streams refusals as they happen.
func (n *native) WatchEvents(w http.ResponseWriter, r *http.Request) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) {
		return nil, n.Control.Do(q.call, access.ReadTraffic, func() error {
			q.sent = true
			n.Events.stream(w, r, func() error {
				return n.Control.Permit(q.call, access.ReadTraffic, access.Target{Scope: policy.ScopeSystem})
			})
			return nil
		})
	})
}
