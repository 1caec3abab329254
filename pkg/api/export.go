package api

import (
	"io"
	"iter"
	"net/http"
	"slices"
	"time"

	"github.com/postern-io/postern/pkg/api/listfile"
	"github.com/postern-io/postern/pkg/api/serve"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// exportTime is what a part of an export gets to be taken.
const exportTime = 30 * time.Second

// ExportState writes a tenant, or everything, as list files hold it.
func (n *native) ExportState(w http.ResponseWriter, r *http.Request) {
	var p v1.ExportStateParams
	n.export(w, r, &p, &p.Format, func(q *request) (iter.Seq[listfile.Document], error) {
		i, err := n.Control.Export(q.call, value(p.Tenant))
		return listfile.Of(i), err
	})
}

// ExportList writes one list as a list file holds it.
func (n *native) ExportList(w http.ResponseWriter, r *http.Request, name v1.ListName) {
	var p v1.ExportListParams
	n.export(w, r, &p, &p.Format, func(q *request) (iter.Seq[listfile.Document], error) {
		at, l, err := n.list(q, name)
		if err != nil {
			return nil, err
		}
		if at.Scope == policy.ScopeEndpoint {
			return nil, &control.Refusal{Kind: control.Invalid, What: "the list of an endpoint stands in no list file", Remedy: "read its security"}
		}
		return slices.Values([]listfile.Document{listfile.One(at, l)}), nil
	})
}

// export writes documents as they come: all of them together may be more than a
// caller of this agent should have to hold.
func (n *native) export(w http.ResponseWriter, r *http.Request, params any, format **v1.Format, documents func(*request) (iter.Seq[listfile.Document], error)) {
	q := &request{Request: r, w: w, call: callOf(r)}
	if err := q.read(params); err != nil {
		n.refuse(w, r, err)
		return
	}
	found, err := documents(q)
	if err != nil {
		n.refuse(w, r, err)
		return
	}
	kind, write := writer(value(*format))
	w.Header().Set("Content-Type", kind)
	if err := write(lasting{w}, found); err != nil {
		panic(http.ErrAbortHandler) // an export that ends early must not look like a whole one
	}
}

func writer(format v1.ExportFormat) (contentType string, write func(io.Writer, iter.Seq[listfile.Document]) error) {
	switch format {
	case v1.ExportFormatYaml:
		return "application/yaml", listfile.YAML
	case v1.ExportFormatHcl:
		return "application/hcl", listfile.HCL
	}
	return "application/json", listfile.JSON
}

// lasting is an answer that may take as long as somebody takes it.
type lasting struct{ http.ResponseWriter }

func (l lasting) Write(b []byte) (int, error) {
	serve.Extend(l.ResponseWriter, exportTime)
	return l.ResponseWriter.Write(b)
}
