// Package ingress reads from Kubernetes manifests whom ingress-nginx lets in: the
// annotations that hold source ranges, and the hosts they are for.
//
// What a manifest says beside that is passed over, other kinds of objects too.
package ingress

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

// Rule is what one Ingress says of who may come.
type Rule struct {
	Pos   policy.Pos
	Name  string   // NAMESPACE/NAME, or NAME
	Hosts []string // each once; none: any
	// Allow and Deny are the ranges as written. Without either it restricts nobody.
	Allow, Deny []string
}

// Read reads the Ingresses of a manifest, YAML with any number of documents, or
// JSON. name is what problems call it. A Rule with a problem is left out.
func Read(name string, data []byte) ([]Rule, policy.Problems) {
	r := &reader{file: name}
	documents := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var o object
		err := documents.Decode(&o)
		if errors.Is(err, io.EOF) {
			return r.rules, r.problems
		}
		if _, other := errors.AsType[*yaml.TypeError](err); other && o.Kind != "Ingress" {
			continue // an object of another shape is none of ours
		}
		if err != nil {
			r.problems = append(r.problems, policy.Problem{Pos: policy.Pos{File: name}, What: err.Error()})
			return r.rules, r.problems
		}
		r.object(o)
	}
}

// object is as much of a Kubernetes object as is of interest.
type object struct {
	Kind     string `yaml:"kind"`
	Metadata struct {
		Name        yaml.Node            `yaml:"name"`
		Namespace   string               `yaml:"namespace"`
		Annotations map[string]yaml.Node `yaml:"annotations"`
	} `yaml:"metadata"`
	Spec struct {
		Rules []hostRule `yaml:"rules"`
	} `yaml:"spec"`
	Items []object `yaml:"items"` // of a List
}

type hostRule struct {
	Host string `yaml:"host"`
}

const prefix = "nginx.ingress.kubernetes.io/"

type reader struct {
	file     string
	rules    []Rule
	problems policy.Problems
}

func (r *reader) object(o object) {
	for _, item := range o.Items {
		r.object(item)
	}
	if o.Kind != "Ingress" {
		return
	}
	rule := Rule{Pos: policy.Pos{File: r.file, Line: o.Metadata.Name.Line}, Name: o.Metadata.Name.Value}
	if o.Metadata.Namespace != "" {
		rule.Name = o.Metadata.Namespace + "/" + rule.Name
	}
	seen := map[string]bool{}
	for _, of := range o.Spec.Rules {
		if of.Host != "" && !seen[of.Host] {
			seen[of.Host] = true
			rule.Hosts = append(rule.Hosts, of.Host)
		}
	}
	before := len(r.problems)
	notes := o.Metadata.Annotations
	rule.Allow = r.allow(notes[prefix+"whitelist-source-range"], notes[prefix+"allowlist-source-range"])
	rule.Deny = r.ranges(notes[prefix+"denylist-source-range"])
	if len(r.problems) == before {
		r.rules = append(r.rules, rule)
	}
}

// allow is what either of the two names says, the old and the new one.
func (r *reader) allow(old, now yaml.Node) []string {
	switch {
	case now.IsZero():
		return r.ranges(old)
	case !old.IsZero() && old.Value != now.Value:
		r.fault(old, "keep one of them", "whitelist-source-range and allowlist-source-range say different things")
	}
	return r.ranges(now)
}

// ranges reads "10.0.0.0/8, 192.0.2.7".
func (r *reader) ranges(note yaml.Node) []string {
	var found []string
	for text := range strings.SplitSeq(note.Value, ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		if _, err := addr.Parse(text); err != nil {
			r.mistake(note, err)
			continue
		}
		found = append(found, text)
	}
	return found
}

func (r *reader) mistake(n yaml.Node, err error) {
	if e, ok := errors.AsType[*addr.Error](err); ok {
		r.fault(n, e.Remedy, "%s", e.What)
		return
	}
	r.fault(n, "", "%s", err)
}

func (r *reader) fault(n yaml.Node, remedy, format string, args ...any) {
	r.problems = append(r.problems, policy.Problem{
		Pos: policy.Pos{File: r.file, Line: n.Line}, What: fmt.Sprintf(format, args...), Remedy: remedy,
	})
}
