package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// answer keeps what it hands on.
type answer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// Unwrap lets streams be flushed.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.body.Write(p)
	return a.ResponseWriter.Write(p)
}

// mistakes are in what a differs from what the document says of op.
func (a *answer) mistakes(op *openapi3.Operation) []string {
	want := of(op, a.status)
	if want == nil {
		return []string{undocumented("such status")}
	}
	return append(a.headerMistakes(want.Headers), a.bodyMistakes(want.Content)...)
}

func (a *answer) headerMistakes(headers openapi3.Headers) []string {
	var found []string
	for name, h := range headers {
		text := a.Header().Get(name)
		switch {
		case text == "" && h.Value.Required:
			found = append(found, "header "+name+": there is none")
		case text != "":
			s := h.Value.Schema.Value
			if err := s.VisitJSON(scalar(s, text), openapi3.SetSchemaErrorMessageCustomizer(reason)); err != nil {
				found = append(found, fmt.Sprintf("header %s: %v", name, err))
			}
		}
	}
	return found
}

// scalar is a header's text as its schema sees it.
func scalar(s *openapi3.Schema, text string) any {
	var n json.Number
	if s.Type.Is("integer") && json.Unmarshal([]byte(text), &n) == nil {
		return n
	}
	return text
}

func (a *answer) bodyMistakes(content openapi3.Content) []string {
	if len(content) == 0 {
		if a.body.Len() > 0 {
			return []string{undocumented("body")}
		}
		return nil
	}
	kind, _, _ := mime.ParseMediaType(a.Header().Get("Content-Type"))
	media := content[kind]
	if media == nil {
		return []string{undocumented("body of the type " + kind)}
	}
	var found []string
	for _, text := range values(kind, a.body.String()) {
		if err := check(media.Schema.Value, text); err != nil {
			found = append(found, fmt.Sprintf("%v in %s", err, text))
		}
	}
	return found
}

// values are the JSON values of a body: one, or of a stream one a line. What is
// no JSON has none.
func values(kind, body string) []string {
	var found []string
	switch kind {
	case "application/json", "application/problem+json":
		return []string{body}
	case "application/x-ndjson":
		for line := range strings.Lines(body) {
			found = append(found, line)
		}
	case "text/event-stream":
		for line := range strings.Lines(body) {
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				found = append(found, data)
			}
		}
	}
	return found
}

func check(s *openapi3.Schema, text string) error {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return err
	}
	return s.VisitJSON(value, openapi3.VisitAsResponse(), openapi3.MultiErrors(), openapi3.SetSchemaErrorMessageCustomizer(brief))
}

func reason(err *openapi3.SchemaError) string { return err.Reason }

// brief leaves out the schema, which is the document's to show.
func brief(err *openapi3.SchemaError) string {
	return strings.Join(append([]string{"$"}, err.JSONPointer()...), ".") + ": " + reason(err)
}

func undocumented(what string) string { return "the document has no " + what + " here" }
