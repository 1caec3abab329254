package dialect

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// maxWarnings are told one by one: clients bound the headers they take.
const maxWarnings = 10

// Describe tells of a write: its revision, and what may not be meant about it.
func Describe(h http.Header, res *control.Result) {
	h.Set("X-Postern-Revision", strconv.FormatUint(res.Revision, 10))
	h.Set("X-Postern-Enforced", strconv.FormatBool(res.Enforced))
	for i, w := range res.Warnings {
		if i == maxWarnings {
			h.Add("X-Postern-Warning", fmt.Sprintf("%d warnings more", len(res.Warnings)-i))
			break
		}
		h.Add("X-Postern-Warning", warning(w))
	}
}

func warning(w control.Warning) string {
	text := w.What
	if w.Kind != "" {
		text = string(w.Kind) + ": " + text
	}
	if w.Remedy != "" {
		text += "; " + w.Remedy
	}
	return text
}

// Hide counts what an answer does not show: entries of the lists it is about, and
// by their resources the other lists that hold there as well.
func Hide(h http.Header, hidden policy.Hidden, others []string) {
	var parts []string
	for _, of := range []struct {
		name  string
		count int
	}{{"deny", hidden.Deny}, {"disabled", hidden.Disabled}, {"expired", hidden.Expired}} {
		if of.count > 0 {
			parts = append(parts, of.name+"="+strconv.Itoa(of.count))
		}
	}
	if len(others) > 0 {
		parts = append(parts, "other-lists="+strings.Join(others, "+"))
	}
	if len(parts) > 0 {
		h.Set("X-Postern-Hidden", strings.Join(parts, ", "))
	}
}
