package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

// scalar reads a single value as it was typed: 010 stays 010, off stays off.
func (r *reader) scalar(set func(n *yaml.Node, text string)) read {
	return func(what string, n *yaml.Node) {
		if r.is(what, n, yaml.ScalarNode) {
			set(n, n.Value)
		}
	}
}

func (r *reader) text(into *string) read {
	return r.scalar(func(_ *yaml.Node, text string) { *into = text })
}

// names is a list of single values, each once.
func (r *reader) names(into *[]string) read {
	return func(what string, n *yaml.Node) {
		*into = []string{}
		r.each(func(n *yaml.Node) {
			r.scalar(func(n *yaml.Node, text string) {
				*into = append(*into, text)
			})(what, n)
		})(what, n)
		r.once(what, n)
	}
}

func (r *reader) once(what string, n *yaml.Node) {
	lines := make(map[string]int, len(n.Content))
	for _, it := range n.Content {
		if line, ok := lines[it.Value]; ok && it.Kind == yaml.ScalarNode {
			r.faultf(it, "keep one of them", "%s names %q twice, first in line %d", what, it.Value, line)
		}
		lines[it.Value] = it.Line
	}
}

// word is a value of an enumeration.
type word interface {
	~uint8
	fmt.Stringer
}

func choose[T word](r *reader, into *T, choices ...T) read {
	return func(what string, n *yaml.Node) {
		r.scalar(func(n *yaml.Node, text string) {
			known := make([]string, len(choices))
			for i, c := range choices {
				known[i] = c.String()
				if known[i] == text {
					*into = c
					return
				}
			}
			r.unknownWord(what, n, known)
		})(what, n)
	}
}

// either is a switch of two words.
func (r *reader) either(into *bool, yes, no string) read {
	return func(what string, n *yaml.Node) {
		r.scalar(func(n *yaml.Node, text string) {
			if text != yes && text != no {
				r.unknownWord(what, n, []string{yes, no})
				return
			}
			*into = text == yes
		})(what, n)
	}
}

func (r *reader) unknownWord(what string, n *yaml.Node, known []string) {
	r.faultf(n, meant(n.Value, known), "%s is %q, not %s", what, n.Value, strings.Join(known, " or "))
}

// address is an address, a prefix or a range.
func (r *reader) address(set func(n *yaml.Node, rg addr.Range)) read {
	return r.scalar(func(n *yaml.Node, text string) {
		rg, err := addr.Parse(text)
		if err != nil {
			r.mistake(n, err)
			return
		}
		set(n, rg)
	})
}

func (r *reader) prefixes(into *[]netip.Prefix) read {
	return func(what string, n *yaml.Node) {
		r.each(func(n *yaml.Node) {
			r.address(func(_ *yaml.Node, rg addr.Range) { *into = rg.AppendPrefixes(*into) })(what, n)
		})(what, n)
	}
}

// ports is all, a number, first-last, or a list of these.
func (r *reader) ports(into *[]policy.PortRange) read {
	one := r.scalar(func(n *yaml.Node, text string) {
		p, err := policy.ParsePorts(text)
		if err != nil {
			r.mistake(n, err)
			return
		}
		*into = append(*into, p)
	})
	return func(what string, n *yaml.Node) {
		if n.Kind == yaml.SequenceNode {
			r.each(func(n *yaml.Node) { one(what, n) })(what, n)
			return
		}
		one(what, n)
	}
}

func (r *reader) hostPort(into *string) read {
	return func(what string, n *yaml.Node) {
		r.scalar(func(n *yaml.Node, text string) {
			_, port, err := net.SplitHostPort(text)
			if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
				r.faultf(n, `write it like "127.0.0.1:9441"`, "%s is %q, not host:port", what, text)
				return
			}
			*into = text
		})(what, n)
	}
}

func (r *reader) upstream(into *string) read {
	return func(what string, n *yaml.Node) {
		r.scalar(func(n *yaml.Node, text string) {
			u, err := url.Parse(text)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
				r.faultf(n, `write it like "http://127.0.0.1:3000"`, "%s is %q, not an http or https URL", what, text)
				return
			}
			*into = text
		})(what, n)
	}
}

func (r *reader) path(into *string) read {
	return func(what string, n *yaml.Node) {
		r.scalar(func(n *yaml.Node, text string) {
			if !strings.HasPrefix(text, "/") {
				r.faultf(n, "", "%s is %q, which does not start with /", what, text)
				return
			}
			*into = text
		})(what, n)
	}
}

// interfaces are names as the kernel may have them; a pattern would be none.
func (r *reader) interfaces(into *[]string) read {
	return func(what string, n *yaml.Node) {
		r.names(into)(what, n)
		for _, it := range n.Content {
			if it.Kind == yaml.ScalarNode && (len(it.Value) > 15 || strings.ContainsAny(it.Value, "/:*? \t")) {
				r.faultf(it, "write it as ip link shows it", "interface %q is no exact name", it.Value)
			}
		}
	}
}

// paths are of files or directories.
func (r *reader) paths(into *[]string) read {
	return func(what string, n *yaml.Node) {
		r.names(into)(what, n)
		for i, p := range *into {
			(*into)[i] = r.resolve(p)
		}
	}
}

func (r *reader) fileName(into *string) read {
	return r.scalar(func(_ *yaml.Node, text string) { *into = r.resolve(text) })
}

// resolve sees a relative path from the file that names it.
func (r *reader) resolve(path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(r.file), path)
	}
	return filepath.Clean(path)
}
