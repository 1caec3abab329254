package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/front"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// request is one on its way through a handler.
type request struct {
	*http.Request
	w      http.ResponseWriter
	call   *control.Call
	limits body.Limits
	match  string // If-Match, without its quotes; "": any
	create bool   // If-None-Match: *
	page   page
	status int  // of the answer
	sent   bool // the answer has gone out already, or is going
}

// page is the part asked for of what there is.
type page struct {
	limit  int
	cursor string
}

const (
	pageSize = 100
	maxPage  = 1000
)

// options are the parameters that many operations have.
type options struct {
	Force       *v1.Force
	Confirm     *v1.Confirm
	Reason      *v1.Reason
	DryRun      *v1.DryRun
	IfMatch     *v1.IfMatch
	IfNoneMatch *v1.IfNoneMatch
	Limit       *v1.Limit
	Cursor      *v1.Cursor
}

// noParams are the parameters of what has none.
type noParams struct{}

// handle answers with what do makes of a request; with no body where that is nil.
// What the request asks for in its parameters is in params before.
func (n *native) handle(w http.ResponseWriter, r *http.Request, params any, do func(*request) (any, error)) {
	q := &request{Request: r, w: w, call: callOf(r), limits: n.Limits, status: http.StatusOK}
	if err := q.read(params); err != nil {
		n.refuse(w, r, err)
		return
	}
	answer, err := do(q)
	switch {
	case q.sent:
	case err != nil:
		n.refuse(w, r, err)
	case q.unchanged():
		w.WriteHeader(http.StatusNotModified)
	case answer == nil:
		w.WriteHeader(q.status)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(q.status)
		_ = json.NewEncoder(w).Encode(answer) // a caller that is gone needs no answer
	}
}

// callOf is the call a request makes. Who comes past the front is nobody.
func callOf(r *http.Request) *control.Call {
	if c := front.CallOf(r.Context()); c != nil {
		return c
	}
	return &control.Call{}
}

// read reads the parameters. Those that all operations treat alike it carries out.
func (q *request) read(params any) error {
	wrong := mistaken(v1.Parameters(q.Request, params))
	var o options
	o.take(params)
	if o.Limit != nil && (*o.Limit < 1 || *o.Limit > maxPage) {
		wrong = append(wrong, v1.Mistake{Path: "limit", What: strconv.Itoa(*o.Limit) + " is not from 1 to " + strconv.Itoa(maxPage)})
	}
	if o.Confirm != nil {
		d, err := time.ParseDuration(*o.Confirm)
		if q.call.Confirm = d; err != nil || d <= 0 {
			wrong = append(wrong, v1.Mistake{Path: "confirm", What: strconv.Quote(*o.Confirm) + " is no time", Remedy: "write it like 90s"})
		}
	}
	if o.IfMatch != nil {
		tag, ok := untag(*o.IfMatch)
		if q.match = tag; !ok {
			wrong = append(wrong, v1.Mistake{Path: "If-Match", What: *o.IfMatch + " is no ETag", Remedy: "send the one of the answer, with its quotes"})
		}
	}
	if text := q.Header.Get("If-None-Match"); text != "" && !q.reads() && (text != "*" || o.IfNoneMatch == nil) {
		wrong = append(wrong, v1.Mistake{Path: "If-None-Match", What: text + " means nothing here", Remedy: "send the ETag that must still stand as If-Match"})
	}
	if what, remedy := policy.WrongText(value(o.Reason), policy.MaxReason); what != "" {
		wrong = append(wrong, v1.Mistake{Path: "reason", What: what, Remedy: remedy})
	}
	if len(wrong) > 0 {
		return wrong
	}
	q.call.Force = value(o.Force) || q.Header.Get("X-Postern-Force") == "true"
	q.call.Reason, q.call.DryRun = value(o.Reason), value(o.DryRun)
	q.create = value(o.IfNoneMatch) == "*" && !q.reads()
	q.page = page{pageSize, value(o.Cursor)}
	if o.Limit != nil {
		q.page.limit = *o.Limit
	}
	return nil
}

// take copies those of the options that an operation's parameters have.
func (o *options) take(params any) {
	from, into := reflect.ValueOf(params).Elem(), reflect.ValueOf(o).Elem()
	for i := range into.NumField() {
		if f := from.FieldByName(into.Type().Field(i).Name); f.IsValid() {
			into.Field(i).Set(f)
		}
	}
}

// value is what a parameter says; its zero value where it says nothing.
func value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

// body reads the request's body.
func (q *request) body(shape body.Shape) error {
	return body.Read(q.w, q.Request, q.limits, shape)
}

// tag says what the answer is the version of.
func (q *request) tag(tag string) {
	if tag != "" {
		q.w.Header().Set("ETag", etag(tag))
	}
}

func (q *request) reads() bool { return q.Method == http.MethodGet || q.Method == http.MethodHead }

// unchanged reports whether the caller has the answer already.
func (q *request) unchanged() bool {
	tag := q.w.Header().Get("ETag")
	return tag != "" && q.Method == http.MethodGet && q.Header.Get("If-None-Match") == tag
}

func etag(tag string) string { return `"` + tag + `"` }

// untag is the tag in an ETag; "*" is any.
func untag(text string) (tag string, ok bool) {
	if text == "*" {
		return text, true
	}
	tag, opened := strings.CutPrefix(text, `"`)
	tag, closed := strings.CutSuffix(tag, `"`)
	return tag, opened && closed && tag != ""
}

// more says where the next page is; next is its cursor, "" where there is none.
func (q *request) more(next string) string {
	if next != "" {
		asked := q.URL.Query()
		asked.Set("cursor", next)
		u := url.URL{Path: q.URL.Path, RawPath: q.URL.RawPath, RawQuery: asked.Encode()}
		q.w.Header().Set("Link", "<"+u.String()+`>; rel="next"`)
	}
	return next
}
