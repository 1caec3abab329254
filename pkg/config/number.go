package config

import (
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

func (r *reader) number(into *int) read {
	return func(what string, n *yaml.Node) {
		r.scalar(func(n *yaml.Node, text string) {
			v, err := strconv.ParseUint(text, 10, 31)
			if err != nil || v == 0 {
				r.faultf(n, "", "%s is %q, not a number of at least 1", what, text)
				return
			}
			*into = int(v)
		})(what, n)
	}
}

// size is a number of bytes.
func (r *reader) size(into *int64) read {
	return func(what string, n *yaml.Node) {
		r.scalar(func(n *yaml.Node, text string) {
			number, shift := text, 0
			for unit, bits := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30} {
				if before, ok := strings.CutSuffix(text, unit); ok {
					number, shift = strings.TrimSpace(before), bits
				}
			}
			v, err := strconv.ParseUint(number, 10, 31)
			if err != nil || v == 0 {
				r.faultf(n, "write it like 1MiB", "%s is %q, not a size", what, text)
				return
			}
			*into = int64(v) << shift
		})(what, n)
	}
}

// span is a length of time.
func (r *reader) span(into *time.Duration) read {
	return func(what string, n *yaml.Node) {
		r.scalar(func(n *yaml.Node, text string) {
			d, err := time.ParseDuration(text)
			if err != nil || d < time.Second {
				r.faultf(n, "write it like 1h", "%s is %q, not a time of at least 1s", what, text)
				return
			}
			*into = d
		})(what, n)
	}
}
