package gate

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/postern-io/postern/pkg/accept"
	"github.com/postern-io/postern/pkg/policy"
)

// bodyTime is what the body of a request gets that is not handed on.
const bodyTime = time.Second

// refuse answers a request that d turned away.
func refuse(w http.ResponseWriter, r *http.Request, b *binding, d *Decision) {
	w.Header().Set("X-Trace-Id", d.Trace)
	if d.Unknown {
		respond(w, r, http.StatusServiceUnavailable, "unavailable", "policy unknown")
		return
	}
	org := d.Tenant
	if at := b.endpoint.HTTP; at != nil && at.HideOrg {
		org = ""
	}
	respond(w, r, http.StatusForbidden, "forbidden", policy.RefusalText(d.Client, org))
}

// respond answers in plain text, or in JSON, with a word for programs, where the
// client would rather have that.
func respond(w http.ResponseWriter, r *http.Request, status int, word, message string) {
	contentType, body := "text/plain; charset=utf-8", message
	if accept.PrefersJSON(r.Header["Accept"]) {
		contentType, body = "application/json", envelope(word, message)
	}
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	if r.ContentLength != 0 {
		// net/http reads a body to its end before it sends the answer. Where the
		// writer knows no deadlines, that is for its server to bound.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		io.WriteString(w, body)
	}
}

func envelope(word, message string) string {
	body, err := json.Marshal(struct {
		OK      bool   `json:"ok"`
		Error   string `json:"error"`
		Message string `json:"message"`
	}{Error: word, Message: message})
	if err != nil {
		panic(err) // three plain fields always marshal
	}
	return string(body)
}
