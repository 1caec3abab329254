package v1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func document(t *testing.T) *openapi3.T {
	t.Helper()
	return load(t, YAML)
}

func load(t *testing.T, data []byte) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestDocument also judges the examples by the schemas they stand for.
func TestDocument(t *testing.T) {
	if err := document(t).Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Error(err)
	}
}

func TestJSONIsTheSameDocument(t *testing.T) {
	data, err := JSON()
	if err != nil {
		t.Fatal(err)
	}
	texts := [2][]byte{}
	for i, doc := range []*openapi3.T{document(t), load(t, data)} {
		if texts[i], err = json.Marshal(doc); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(texts[0], texts[1]) {
		t.Error("the documents differ")
	}
}

// TestJSONIsMadeOnce: whoever may not even log in can ask for it.
func TestJSONIsMadeOnce(t *testing.T) {
	if n := testing.AllocsPerRun(10, func() { _, _ = JSON() }); n != 0 {
		t.Errorf("asking again allocates %.0f times", n)
	}
}

// TestOperations holds what every operation must say.
func TestOperations(t *testing.T) {
	doc := document(t)
	roles := []string{"public", "reader", "user", "tenant-admin", "operator", "admin"}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			at := method + " " + path
			missing(t, at, map[string]bool{
				"operationId":               op.OperationID != "",
				"summary":                   op.Summary != "",
				"description":               op.Description != "",
				"one tag of the document's": len(op.Tags) == 1 && doc.Tags.Get(op.Tags[0]) != nil,
				"a 2xx answer":              answers(op, '2'),
				"the answer 400":            op.Responses.Status(400) != nil, // every one can be asked with what it does not know
				"the default answer":        op.Responses.Default() != nil,
				"an x-least-role":           slices.Contains(roles, fmt.Sprint(op.Extensions["x-least-role"])),
				"security: [] if and only if anybody may": (op.Security != nil) ==
					(op.Extensions["x-least-role"] == "public"),
			})
			for _, p := range slices.Concat(item.Parameters, op.Parameters) {
				missing(t, at+" "+p.Value.Name, map[string]bool{"a description": p.Value.Description != ""})
			}
			for status, answer := range op.Responses.Map() {
				missing(t, at+" "+status, refusal(status, answer.Value))
			}
		}
	}
}

func answers(op *openapi3.Operation, class byte) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(op.Responses.Map())), func(status string) bool {
		return status[0] == class
	})
}

// refusal is what an answer must have that is one.
func refusal(status string, answer *openapi3.Response) map[string]bool {
	code, err := strconv.Atoi(status)
	if err == nil && code < 400 {
		return nil
	}
	return map[string]bool{
		"only a problem as its body": len(answer.Content) == 1 && answer.Content["application/problem+json"] != nil,
		"a trace id":                 answer.Headers["X-Trace-Id"] != nil,
	}
}

func missing(t *testing.T, at string, has map[string]bool) {
	t.Helper()
	for what, ok := range has {
		if !ok {
			t.Errorf("%s: want %s", at, what)
		}
	}
}

func TestOperationIDs(t *testing.T) {
	seen := map[string]string{}
	for path, item := range document(t).Paths.Map() {
		for method, op := range item.Operations() {
			if other, twice := seen[op.OperationID]; twice {
				t.Errorf("%s %s is called %s as is %s", method, path, op.OperationID, other)
			}
			seen[op.OperationID] = method + " " + path
		}
	}
}

// TestDescriptions holds that every schema says what it is, and every property.
func TestDescriptions(t *testing.T) {
	for name, s := range document(t).Components.Schemas {
		described(t, name, s)
	}
}

func described(t *testing.T, at string, s *openapi3.SchemaRef) {
	if s.Value.Description == "" {
		t.Errorf("%s: want a description", at)
	}
	for name, p := range s.Value.Properties {
		if p.Ref == "" { // who is referred to says it itself
			described(t, at+"."+name, p)
		}
	}
	for _, part := range s.Value.AllOf {
		if part.Ref == "" {
			for name, p := range part.Value.Properties {
				described(t, at+"."+name, p)
			}
		}
	}
}

// TestRequestsAreClosed holds that a body with an unknown key is a mistake in the
// document, as it is in the agent.
func TestRequestsAreClosed(t *testing.T) {
	for path, item := range document(t).Paths.Map() {
		for method, op := range item.Operations() {
			if op.RequestBody == nil {
				continue
			}
			for kind, media := range op.RequestBody.Value.Content {
				s := media.Schema.Value
				open := s.AdditionalProperties.Has == nil || *s.AdditionalProperties.Has
				if s.Type.Is("object") && open {
					t.Errorf("%s %s: %s takes unknown keys", method, path, kind)
				}
			}
		}
	}
}
