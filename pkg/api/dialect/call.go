package dialect

import (
	"net/http"
	"strconv"
	"time"

	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/control"
)

// call is the call that a request makes, with what it says of how it is meant.
func call(r *http.Request) (*control.Call, error) {
	c := front.CallOf(r.Context())
	q := r.URL.Query()
	c.Reason = q.Get("reason")
	var wrong []body.Mistake
	for _, says := range []struct{ where, text string }{
		{"?force", q.Get("force")},
		{"X-Postern-Force", r.Header.Get("X-Postern-Force")},
	} {
		force, err := strconv.ParseBool(says.text)
		if err != nil && says.text != "" {
			wrong = append(wrong, body.Mistake{Path: says.where, What: strconv.Quote(says.text) + " is not true or false"})
		}
		c.Force = c.Force || force
	}
	if text := q.Get("confirm"); text != "" {
		within, err := time.ParseDuration(text)
		if err != nil {
			wrong = append(wrong, body.Mistake{Path: "?confirm", What: strconv.Quote(text) + " is no duration", Remedy: "write it like 90s"})
		}
		c.Confirm = within
	}
	if wrong != nil {
		return nil, &body.Refusal{Status: http.StatusBadRequest, Mistakes: wrong}
	}
	return c, nil
}
