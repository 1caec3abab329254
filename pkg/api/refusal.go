package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/front"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

const problemType = "application/problem+json"

// problem is a refusal of a request.
func problem(r *http.Request, status int, word, detail string) *v1.Problem {
	p := &v1.Problem{
		Type: v1.ProblemType("urn:postern:" + word), Title: http.StatusText(status), Status: status,
		Detail: detail, Instance: r.URL.EscapedPath(),
	}
	if c := front.CallOf(r.Context()); c != nil {
		p.Trace = c.Trace
	}
	return p
}

func writeProblem(w http.ResponseWriter, p *v1.Problem) {
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a caller that is gone needs no answer
}

// mistaken refuses a request with all that is wrong with it.
type mistaken []v1.Mistake

func (ms mistaken) Error() string {
	if len(ms) == 1 {
		return "one mistake; nothing was applied"
	}
	return fmt.Sprintf("%d mistakes; nothing was applied", len(ms))
}

// wrong is a mistake in a parameter or at a path of the body.
func wrong(path, what, remedy string) error {
	return mistaken{{Path: path, What: what, Remedy: remedy}}
}

// refuse answers with why a request was refused. What is the agent's own failure
// goes to its log: it is nothing that the caller could go by.
func (n *native) refuse(w http.ResponseWriter, r *http.Request, err error) {
	writeProblem(w, n.problem(r, err))
}

func (n *native) problem(r *http.Request, err error) *v1.Problem {
	if ms, ok := errors.AsType[mistaken](err); ok {
		p := problem(r, http.StatusBadRequest, "invalid", ms.Error())
		p.Mistakes = ms
		return p
	}
	if no, ok := errors.AsType[*body.Refusal](err); ok {
		return unread(r, no)
	}
	if no, ok := errors.AsType[*control.Refusal](err); ok {
		return refused(r, no)
	}
	p := problem(r, http.StatusInternalServerError, "internal", "")
	p.Detail = "this did not work; the agent's log has the reason under trace " + p.Trace
	n.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "trace", p.Trace, "err", err)
	return p
}

// unread is a body that was not taken.
func unread(r *http.Request, no *body.Refusal) *v1.Problem {
	word := "invalid"
	switch no.Status {
	case http.StatusRequestEntityTooLarge:
		word = "too-large"
	case http.StatusUnsupportedMediaType:
		word = "wrong-type"
	}
	ms := make(mistaken, len(no.Mistakes))
	for i, m := range no.Mistakes {
		ms[i] = v1.Mistake{Path: m.Path, What: m.What, Remedy: m.Remedy}
	}
	p := problem(r, no.Status, word, ms.Error())
	p.Mistakes = ms
	return p
}

// statusOf is the status of the control plane's refusals.
func statusOf(kind control.Kind) int {
	switch kind {
	case control.Forbidden:
		return http.StatusForbidden
	case control.NotFound:
		return http.StatusNotFound
	case control.Invalid:
		return http.StatusBadRequest
	case control.Unprocessable:
		return http.StatusUnprocessableEntity
	case control.Changed:
		return http.StatusPreconditionFailed
	case control.Full:
		return http.StatusInsufficientStorage
	case control.NotKept:
		return http.StatusServiceUnavailable
	}
	return http.StatusConflict
}

func refused(r *http.Request, no *control.Refusal) *v1.Problem {
	word := string(no.Kind)
	if no.Kind == control.NotKept {
		word = "unavailable"
	}
	p := problem(r, statusOf(no.Kind), word, no.What)
	if no.Remedy != "" {
		p.Detail += "; " + no.Remedy
	}
	for _, m := range no.Mistakes {
		p.Mistakes = append(p.Mistakes, v1.Mistake{Path: m.Path, What: m.What, Remedy: m.Remedy})
	}
	p.Lists, p.File = no.Names, no.File
	if no.Address.IsValid() {
		p.Address = no.Address.String()
	}
	if locked, ok := errors.AsType[*policy.Locked](no); ok {
		p.Confirm = locked.Until
	}
	if no.Kind == control.Changed {
		p.Current, p.Yours = clashing(no.Current), clashing(no.Yours)
	}
	return p
}

// clashing is one of two versions; nil is none.
func clashing(v *control.Version) v1.Clashing {
	if v == nil {
		return v1.Clashing{}
	}
	c := v1.Clashing{Etag: etag(v.Tag)}
	if v.List != nil {
		c.Value, _ = json.Marshal(contentOf(v.List)) // text and times always encode
	}
	return c
}
