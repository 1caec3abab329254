package dialect

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// Ask is the call of a request, with what its query asks for: force, confirm,
// reason, and the dialect's own, which come back as the query. What is misspelt is
// refused: a delete of somebody else must not become one of oneself.
func Ask(r *http.Request, own ...string) (*control.Call, url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, nil, &body.Refusal{Status: http.StatusBadRequest, Mistakes: []body.Mistake{{Path: "query", What: err.Error()}}}
	}
	c := *front.CallOf(r.Context())
	a := asked{query: query, known: append(own, "force", "confirm", "reason")}
	a.unknown()
	c.Force = a.flag("force", query.Get("force")) || a.flag("X-Postern-Force", r.Header.Get("X-Postern-Force"))
	c.Confirm = a.span("confirm")
	c.Reason = query.Get("reason")
	if what, remedy := policy.WrongText(c.Reason, policy.MaxReason); what != "" {
		a.fault("reason", what, remedy)
	}
	if len(a.found) > 0 {
		return nil, nil, &body.Refusal{Status: http.StatusBadRequest, Mistakes: a.found}
	}
	return &c, query, nil
}

// asked is a query being read.
type asked struct {
	query url.Values
	known []string
	found []body.Mistake
}

func (a *asked) fault(path, what, remedy string) {
	a.found = append(a.found, body.Mistake{Path: path, What: what, Remedy: remedy})
}

func (a *asked) unknown() {
	for _, name := range slices.Sorted(maps.Keys(a.query)) {
		switch {
		case !slices.Contains(a.known, name):
			remedy := "leave it out"
			if near := policy.Nearest(name, a.known); near != "" {
				remedy = fmt.Sprintf("did you mean %s?", near)
			}
			a.fault(name, "there is no such parameter", remedy)
		case len(a.query[name]) > 1:
			a.fault(name, "it stands there more than once", "keep one")
		}
	}
}

func (a *asked) flag(name, text string) bool {
	if text != "" && text != "true" && text != "false" {
		a.fault(name, fmt.Sprintf("%q is neither true nor false", text), "")
	}
	return text == "true"
}

func (a *asked) span(name string) time.Duration {
	if !a.query.Has(name) {
		return 0
	}
	text := a.query.Get(name)
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || strings.Contains(text, ".") {
		a.fault(name, fmt.Sprintf("%q is no time", text), "write it like 90s")
	}
	return d
}
