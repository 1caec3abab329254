package config

import (
	"strings"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

// plain reads a list file in the form that programs write by the thousand, and
// YAML takes 40 µs to make nodes of:
//
//	tenant: acme
//	lists:
//	  "*":
//	    - 192.0.2.0/24
//
// What is in any other form, or has a mistake, it leaves to YAML.
func (r *reader) plain(data []byte) (f listFile, ok bool) {
	p := plain{file: r.file, rest: string(data), line: r.above}
	id, ok := strings.CutPrefix(p.next(), "tenant: ")
	at := p.at()
	if !ok || !isWord(id) || p.next() != "lists:" {
		return listFile{}, false
	}
	f.tenant = &policy.Tenant{ID: id, Pos: at, Lists: map[string]*policy.List{}}
	for p.rest != "" {
		name, ok := p.key()
		if !ok || f.tenant.Lists[name] != nil {
			return listFile{}, false
		}
		list := &policy.List{Owner: r.file, Pos: p.at()}
		if !p.entries(list) {
			return listFile{}, false
		}
		f.tenant.Lists[name] = list
	}
	return f, len(f.tenant.Lists) > 0
}

// plain goes through a text by lines.
type plain struct {
	file, rest string
	line       int
}

func (p *plain) at() policy.Pos { return policy.Pos{File: p.file, Line: p.line} }

func (p *plain) next() string {
	var line string
	line, p.rest, _ = strings.Cut(p.rest, "\n")
	p.line++
	return line
}

// key is a list's name.
func (p *plain) key() (string, bool) {
	line := p.next()
	if line == `  "*":` {
		return policy.AnyResource, true
	}
	name, ok := strings.CutPrefix(line, "  ")
	name, ended := strings.CutSuffix(name, ":")
	return name, ok && ended && isWord(name)
}

// entries are the lines up to the next key; there is one at least.
func (p *plain) entries(list *policy.List) bool {
	const item = "    - "
	lines := 0
	for rest := p.rest; strings.HasPrefix(rest, item); lines++ {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	list.Entries = make([]policy.Entry, 0, lines)
	for strings.HasPrefix(p.rest, item) {
		text := p.next()[len(item):]
		rg, err := addr.Parse(text)
		if err != nil || strings.Trim(text, "0123456789abcdefABCDEF.:/-") != "" || strings.HasPrefix(text, ":") || strings.HasSuffix(text, ":") {
			return false
		}
		list.Entries = append(list.Entries, policy.Entry{Text: text, Range: rg, Pos: p.at()})
	}
	return len(list.Entries) > 0
}

// isWord reports whether YAML reads s as the text it is: an id, no word for
// nothing, and no longer than a key may be.
func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return s != "" && len(s) <= 64 && !strings.EqualFold(s, "null")
}
