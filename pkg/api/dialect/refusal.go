package dialect

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/control"
)

// Refusal is why a request was not done, for a dialect to put in its words.
type Refusal struct {
	front.Refusal
	Mistakes []body.Mistake // one by one; the message has them too
}

// statuses are those of what the control plane refuses.
var statuses = map[control.Kind]int{
	control.Forbidden:     http.StatusForbidden,
	control.NotFound:      http.StatusNotFound,
	control.Invalid:       http.StatusBadRequest,
	control.Unprocessable: http.StatusUnprocessableEntity,
	control.LocksOut:      http.StatusConflict,
	control.WouldOpen:     http.StatusConflict,
	control.FileOwned:     http.StatusConflict,
	control.Pending:       http.StatusConflict,
	control.Conflict:      http.StatusConflict,
	control.Changed:       http.StatusPreconditionFailed,
	control.Full:          http.StatusInsufficientStorage,
	control.NotKept:       http.StatusServiceUnavailable,
}

// Refuse answers with an error.
type Refuse func(http.ResponseWriter, *http.Request, error)

// Envelope is the body of a refusal in a dialect's words, as front.Way has it.
type Envelope func(*http.Request, *Refusal) (contentType string, body any)

// Front is the envelope of what the front refuses, which makes no mistakes.
func (e Envelope) Front(r *http.Request, no *front.Refusal) (contentType string, body any) {
	return e(r, &Refusal{Refusal: *no})
}

// Refuse answers as a way does, and logs what is the agent's own fault.
func (e Envelope) Refuse(way *front.Way, log *slog.Logger) Refuse {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		no := refusalOf(err)
		no.Trace = front.CallOf(r.Context()).Trace
		if no.Status == http.StatusInternalServerError && r.Context().Err() == nil {
			log.Error("request failed", "method", r.Method, "path", r.URL.Path, "trace", no.Trace, "err", err)
		}
		told := *way
		told.Envelope = func(r *http.Request, _ *front.Refusal) (string, any) { return e(r, no) }
		told.Refuse(w, r, &no.Refusal)
	}
}

// refusalOf is err as a refusal.
func refusalOf(err error) *Refusal {
	no := &Refusal{}
	if turnedAway, ok := errors.AsType[*front.Refusal](err); ok {
		no.Refusal = *turnedAway
	} else if b, ok := errors.AsType[*body.Refusal](err); ok {
		no.Status, no.Word, no.Message, no.Mistakes = b.Status, "invalid", b.Error(), b.Mistakes
	} else if c, ok := errors.AsType[*control.Refusal](err); ok {
		no.Status, no.Word, no.Message = statuses[c.Kind], string(c.Kind), c.What
		if c.Remedy != "" {
			no.Message += "; " + c.Remedy
		}
		for _, m := range c.Mistakes {
			no.Mistakes = append(no.Mistakes, body.Mistake(m))
		}
	} else {
		no.Status, no.Word = http.StatusInternalServerError, "internal"
		no.Message = "this should not have happened; the agent's log has the reason"
	}
	return no
}

// Unknown refuses for want of something that a path or a host names.
func Unknown(what, name string) error {
	return &control.Refusal{Kind: control.NotFound, What: fmt.Sprintf("%s %q: there is none", what, name)}
}
