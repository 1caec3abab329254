package dialect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// Answer writes an answer, laid out as the system spoken for lays out its own: a
// line for each member and item. No character is escaped that need not be.
func Answer(w http.ResponseWriter, content any, indent string) {
	var line, lines bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	_ = e.Encode(content) // plain data: there is nothing it could not write
	_ = json.Indent(&lines, bytes.TrimSuffix(line.Bytes(), []byte("\n")), "", indent)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(lines.Bytes()) // a caller that is gone needs no answer
}

// Hidden is what a dialect cannot show of what there is.
type Hidden struct {
	policy.Hidden
	Lists []string // by the resources they are for
}

// Add counts what is hidden of one list more.
func (h *Hidden) Add(of policy.Hidden) {
	h.Deny += of.Deny
	h.Disabled += of.Disabled
	h.Expired += of.Expired
}

// Tell says in an answer's header what is hidden, if anything is:
// "deny=1, expired=2, other-lists=*".
func (h *Hidden) Tell(header http.Header) {
	var parts []string
	for _, p := range []struct {
		name  string
		count int
	}{{"deny", h.Deny}, {"disabled", h.Disabled}, {"expired", h.Expired}} {
		if p.count > 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", p.name, p.count))
		}
	}
	if len(h.Lists) > 0 {
		parts = append(parts, "other-lists="+strings.Join(slices.Sorted(slices.Values(h.Lists)), " "))
	}
	if len(parts) > 0 {
		header.Set("X-Postern-Hidden", strings.Join(parts, ", "))
	}
}

// mostWarnings are told one by one: a proxy on the way takes some kilobytes of
// headers and no more.
const mostWarnings = 10

// Warn says in an answer's header what a change does that may not be meant.
func Warn(header http.Header, r *control.Result) {
	for i, warning := range r.Warnings {
		if i == mostWarnings {
			header.Add("X-Postern-Warning", fmt.Sprintf("%d warnings more", len(r.Warnings)-i))
			return
		}
		text := warning.What
		if warning.Kind != "" {
			text = string(warning.Kind) + ": " + text
		}
		if warning.Remedy != "" {
			text += "; " + warning.Remedy
		}
		header.Add("X-Postern-Warning", strings.ReplaceAll(text, "\n", "; "))
	}
}
