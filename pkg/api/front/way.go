package front

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/api/body"
)

// Way is how one API speaks with its callers.
type Way struct {
	// Origin is the API's name in history and journal: "api", "hdp".
	Origin string
	// Challenge is the WWW-Authenticate that goes with a 401.
	Challenge string
	// Lenient says that where a change's own lists shut its author's key out, that
	// is a warning and no refusal.
	Lenient bool
	// Period is whether answers say in x-ratelimit-period how long a rate's period is.
	Period bool
	// Open reports whether a request needs no caller; nil: every one does.
	Open func(*http.Request) bool
	// Envelope is the body of a refusal, as the API words it: JSON, unless it is a
	// Text.
	Envelope func(*http.Request, *Refusal) (contentType string, body any)
}

// Text is a body to be written as it is.
type Text string

// Refusal is why a request was turned away.
type Refusal struct {
	Status     int
	Word       string         // for programs: "not-listed"
	Message    string         // for people
	Mistakes   []body.Mistake // one by one, what the message has all together
	RetryAfter time.Duration  // 0: it would not help
	Trace      string
}

func (no *Refusal) Error() string { return no.Message }

// Refuse answers with no.
func (w *Way) Refuse(to http.ResponseWriter, r *http.Request, no *Refusal) {
	contentType, content := w.Envelope(r, no)
	h := to.Header()
	if no.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", w.Challenge)
	}
	if no.RetryAfter > 0 {
		h.Set("Retry-After", seconds(no.RetryAfter))
	}
	h.Set("Content-Type", contentType)
	to.WriteHeader(no.Status)
	if r.Method == http.MethodHead {
		return
	}
	// A caller that is gone needs no answer.
	if text, ok := content.(Text); ok {
		_, _ = io.WriteString(to, string(text))
	} else {
		_ = json.NewEncoder(to).Encode(content)
	}
}

// resource is whose lists guard a request: HDP's administration has lists of its
// own, all else is management.
func resource(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, "/api/admin/") {
		return "adminAPI"
	}
	return "managementAPI"
}
