package config

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

// bare finds what people write in YAML without quotes and YAML may read as
// something else: a star begins an alias, and a colon can make a key.
var bare = regexp.MustCompile(`(^ *(?:- +)*|[\[{,] *|: +)(\*[\w.*-]*|:[0-9A-Fa-f:./]+|[0-9A-Fa-f:]*::)`)

// quote puts quotes around such words in text that YAML refused, so that the
// rest of the file can be read too, and names each.
func (r *reader) quote(data []byte) ([]byte, policy.Problems) {
	var traps policy.Problems
	lines := bytes.Split(data, []byte("\n"))
	for i, line := range lines {
		var quoted []byte
		done := 0
		for _, m := range bare.FindAllSubmatchIndex(withoutComment(line), -1) {
			word := string(line[m[4]:m[5]])
			if !trapped(line[:m[4]], word, line[m[5]:]) {
				continue
			}
			quoted = append(append(append(append(quoted, line[done:m[4]]...), '"'), word...), '"')
			done = m[5]
			traps = append(traps, r.trap(r.above+i+1, word))
		}
		if done > 0 {
			lines[i] = append(quoted, line[done:]...)
		}
	}
	return bytes.Join(lines, []byte("\n")), traps
}

func withoutComment(line []byte) []byte {
	if bytes.HasPrefix(line, []byte("#")) {
		return nil
	}
	code, _, _ := bytes.Cut(line, []byte(" #"))
	return code
}

// trapped reports whether word needs quotes between what stands before it and
// after it in its line: with any star, with a colon at its beginning inside
// brackets, with one at its end outside.
func trapped(before []byte, word string, after []byte) bool {
	if strings.HasPrefix(word, "*") {
		return true
	}
	if _, err := addr.Parse(word); err != nil {
		return false
	}
	if bytes.ContainsAny(before, "[{") {
		return strings.HasPrefix(word, ":")
	}
	return strings.HasSuffix(word, ":") && len(bytes.TrimSpace(after)) == 0
}

func (r *reader) trap(line int, word string) policy.Problem {
	why := "takes its colon for a key's"
	if strings.HasPrefix(word, "*") {
		why = "takes its star for an alias"
	}
	return policy.Problem{
		Pos:    policy.Pos{File: r.file, Line: line},
		What:   fmt.Sprintf("%s is not quoted, and YAML %s", word, why),
		Remedy: fmt.Sprintf("write %q", word),
	}
}

// endsInColon is the address of an item like "- 2001:db8::", which YAML takes
// for a mapping with one key and no value.
func endsInColon(n *yaml.Node) (string, bool) {
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 || !null(n.Content[1]) {
		return "", false
	}
	word := n.Content[0].Value + ":"
	_, err := addr.Parse(word)
	return word, err == nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntax is YAML's own complaint, with its line where it gives one.
func (r *reader) syntax(data []byte, err error) policy.Problem {
	text := err.Error()
	p := policy.Problem{Pos: policy.Pos{File: r.file, Line: 1}}
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		text = text[len(m[0]):]
		if line, err := strconv.Atoi(m[1]); err == nil {
			p.Pos.Line = line
		}
	}
	p.What = "not YAML: " + text
	if lines := bytes.Split(data, []byte("\n")); p.Pos.Line <= len(lines) && bytes.HasPrefix(bytes.TrimLeft(lines[p.Pos.Line-1], " "), []byte("\t")) {
		p.Remedy = "indent with blanks, not tabs"
	}
	p.Pos.Line += r.above
	return p
}
