package config

import (
	"encoding/json"

	"go.yaml.in/yaml/v3"
)

// free is an object of the operator's own. It comes out as JSON, in the order of
// the file.
func (r *reader) free(into *json.RawMessage) read {
	return func(what string, n *yaml.Node) {
		if r.is(what, n, yaml.MappingNode) {
			*into = r.appendJSON(nil, what, n)
		}
	}
}

func (r *reader) appendJSON(text []byte, what string, n *yaml.Node) []byte {
	switch {
	case n.Kind == yaml.MappingNode:
		text = append(text, '{')
		r.pairs(what, n, func(key, val *yaml.Node) {
			text = append(r.appendScalar(separate(text), key, key.Value), ':')
			text = r.appendJSON(text, key.Value, val)
		})
		return append(text, '}')
	case n.Kind == yaml.SequenceNode:
		text = append(text, '[')
		for _, item := range n.Content {
			text = r.appendJSON(separate(text), what, item)
		}
		return append(text, ']')
	case null(n):
		return append(text, "null"...)
	case !r.is(what, n, yaml.ScalarNode):
		return text
	}
	var v any = n.Value
	switch n.Tag {
	case "!!bool", "!!int", "!!float":
		if err := n.Decode(&v); err != nil {
			r.faultf(n, "quote it", "%s is %q, which no JSON can hold", what, n.Value)
			return text
		}
	}
	return r.appendScalar(text, n, v)
}

// separate puts a comma after what stands before another.
func separate(text []byte) []byte {
	if last := text[len(text)-1]; last == '{' || last == '[' {
		return text
	}
	return append(text, ',')
}

func (r *reader) appendScalar(text []byte, n *yaml.Node, v any) []byte {
	is, err := json.Marshal(v)
	if err != nil {
		r.faultf(n, "quote it", "%q: no JSON can hold it", n.Value)
	}
	return append(text, is...)
}
