package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

// reader reads one file and keeps everything that is wrong with it.
type reader struct {
	file  string
	above int // lines of the file before what is read
	found policy.Problems
}

// read takes the value of a key, or an item of a list; what names it.
type read func(what string, n *yaml.Node)

// fields are the keys a mapping may have.
type fields map[string]read

func (r *reader) at(n *yaml.Node) policy.Pos { return policy.Pos{File: r.file, Line: n.Line} }

func (r *reader) faultf(n *yaml.Node, remedy, format string, args ...any) {
	r.found = append(r.found, policy.Problem{Pos: r.at(n), What: fmt.Sprintf(format, args...), Remedy: remedy})
}

// mistake reports err, which is about n alone.
func (r *reader) mistake(n *yaml.Node, err error) {
	if e, ok := errors.AsType[*addr.Error](err); ok {
		r.faultf(n, e.Remedy, "%s", e.What)
		return
	}
	r.faultf(n, "", "%s", err)
}

// sorted is what was found, in the order of lines.
func (r *reader) sorted() policy.Problems {
	slices.SortStableFunc(r.found, func(a, b policy.Problem) int { return cmp.Compare(a.Pos.Line, b.Pos.Line) })
	return r.found
}

// parse makes nodes of data. Aliases stay nodes of their own and are refused
// where they stand, so that a few lines of them cannot unfold into gigabytes.
func (r *reader) parse(data []byte) *yaml.Node {
	var doc yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	err := decoder.Decode(&doc)
	if err != nil && !errors.Is(err, io.EOF) {
		quoted, traps := r.quote(data)
		r.found = append(r.found, traps...)
		if len(traps) > 0 {
			return r.parse(quoted)
		}
		r.found = append(r.found, r.syntax(data, err))
		return nil
	}
	if err != nil {
		r.found = append(r.found, policy.Problem{Pos: policy.Pos{File: r.file}, What: "the file is empty"})
		return nil
	}
	r.onlyDocument(decoder, data)
	if r.above > 0 {
		lower(doc.Content[0], r.above)
	}
	return doc.Content[0]
}

// lower puts n and all in it so many lines further down.
func lower(n *yaml.Node, lines int) {
	n.Line += lines
	for _, in := range n.Content {
		lower(in, lines)
	}
}

// onlyDocument refuses what follows the first document, which nobody would read.
func (r *reader) onlyDocument(decoder *yaml.Decoder, data []byte) {
	var next yaml.Node
	switch err := decoder.Decode(&next); {
	case errors.Is(err, io.EOF):
	case err != nil:
		r.found = append(r.found, r.syntax(data, err))
	default:
		r.faultf(&next, "make it a file of its own", "a second document begins, and only the first is read")
	}
}

// pairs walks a mapping whose keys are the writer's own.
func (r *reader) pairs(what string, n *yaml.Node, pair func(key, val *yaml.Node)) {
	if !r.is(what, n, yaml.MappingNode) {
		return
	}
	lines := make(map[string]int, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if !r.is("a key of "+what, key, yaml.ScalarNode) {
			continue
		}
		if line, ok := lines[key.Value]; ok {
			r.faultf(key, "keep one of them", "%s has the key %q already, in line %d", what, key.Value, line)
			continue
		}
		lines[key.Value] = key.Line
		pair(key, val)
	}
}

// mapping walks a mapping whose keys are ours.
func (r *reader) mapping(what string, n *yaml.Node, f fields) {
	r.pairs(what, n, func(key, val *yaml.Node) {
		read, ok := f[key.Value]
		if !ok {
			r.faultf(key, meant(key.Value, slices.Sorted(maps.Keys(f))), "%s has no key %q", what, key.Value)
			return
		}
		read(key.Value, val)
	})
}

func meant(word string, known []string) string {
	if near := policy.Nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return ""
}

func (r *reader) section(f fields) read {
	return func(what string, n *yaml.Node) { r.mapping(what, n, f) }
}

func (r *reader) each(item func(n *yaml.Node)) read {
	return func(what string, n *yaml.Node) {
		if !r.is(what, n, yaml.SequenceNode) {
			return
		}
		for _, it := range n.Content {
			item(it)
		}
	}
}

// is reports whether n is of the kind wanted, and says so where it is not.
func (r *reader) is(what string, n *yaml.Node, kind yaml.Kind) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		r.faultf(n, "write it out", "%s is the alias *%s, and aliases are not read", what, n.Value)
	case null(n):
		r.faultf(n, "give it one or leave it out", "%s has no value", what)
	case n.Kind != kind:
		r.faultf(n, "", "%s is %s, not %s", what, kindName(n.Kind), kindName(kind))
	default:
		return true
	}
	return false
}

func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func kindName(k yaml.Kind) string {
	switch k {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}
