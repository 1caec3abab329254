package dialect

import (
	"errors"
	"net/http"

	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/control"
)

// statuses are what refusals of the control plane are over HTTP. Nothing in a
// dialect's request says what it was made against, so that a record which is
// another by now is a conflict.
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
	control.Changed:       http.StatusConflict,
	control.Full:          http.StatusInsufficientStorage,
	control.NotKept:       http.StatusServiceUnavailable,
}

// Refusal is an error as a caller is told of it. Of one that is the agent's own
// fault it is told the trace, under which the log has the reason.
func Refusal(err error, trace string) *front.Refusal {
	no := &front.Refusal{Trace: trace}
	if sent, ok := errors.AsType[*body.Refusal](err); ok {
		no.Status, no.Word, no.Message = sent.Status, string(control.Invalid), sent.Error()
		no.Mistakes = sent.Mistakes
	} else if asked, ok := errors.AsType[*control.Refusal](err); ok {
		no.Status, no.Word, no.Message = statuses[asked.Kind], string(asked.Kind), asked.What
		if asked.Remedy != "" {
			no.Message += "; " + asked.Remedy
		}
		for _, m := range asked.Mistakes {
			no.Mistakes = append(no.Mistakes, body.Mistake(m))
		}
	} else if already, ok := errors.AsType[*front.Refusal](err); ok {
		already.Trace = trace
		return already
	} else {
		no.Status, no.Word = http.StatusInternalServerError, "internal"
		no.Message = "this should not have happened; the agent's log has the reason under trace " + trace
	}
	return no
}
