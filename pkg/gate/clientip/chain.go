package clientip

import "strings"

// maxTokens bounds the work one request can ask for. A chain of more proxies
// than this has lost its way.
const maxTokens = 32

// chain is a header's lines as the one comma-separated list they are (RFC 9110,
// 5.3), read from its right end.
type chain struct {
	lines []string
	rest  string
}

// next takes the rightmost member. Empty ones are no members (RFC 9110,
// 5.6.1.2).
func (c *chain) next() (string, bool) {
	for {
		for c.rest != "" {
			comma := strings.LastIndexByte(c.rest, ',')
			member := strings.Trim(c.rest[comma+1:], " \t")
			c.rest = c.rest[:max(comma, 0)]
			if member != "" {
				return member, true
			}
		}
		if len(c.lines) == 0 {
			return "", false
		}
		last := len(c.lines) - 1
		c.rest, c.lines = c.lines[last], c.lines[:last]
	}
}
