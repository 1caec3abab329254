package body

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// kind is what a value is.
type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	list
	object
)

func (k kind) String() string {
	return [...]string{"null", "true or false", "a number", "text", "a list", "an object"}[k]
}

// value is one JSON value.
type value struct {
	kind kind
	name string  // as a member of an object
	raw  string  // as it was sent
	text string  // of text, what it says
	kids []value // of a list or object, in the order sent
}

// parser makes values of text. It goes on after mistakes that leave no doubt of
// what was meant, and stops at others: its methods are false then.
type parser struct {
	findings
	text   string
	at     int
	items  int // that one list or object may have
	values int // that may still come
}

// document reads the only value there should be.
func (p *parser) document(v *value) bool {
	if rest, ok := strings.CutPrefix(p.text, "\ufeff"); ok {
		p.fault("begins with a byte order mark", "send UTF-8 without one")
		p.text = rest
	}
	if p.blank(); p.at == len(p.text) {
		return p.stop("the body is empty", "send a JSON value")
	}
	if !p.value(v) {
		return false
	}
	if p.blank(); p.at < len(p.text) {
		p.fault(p.where()+"more follows the first value", "send one")
	}
	return true
}

func (p *parser) value(v *value) bool {
	if p.values--; p.values < 0 {
		return p.stop("the body holds too many values", "send fewer at once")
	}
	p.blank()
	start, ok := p.at, true
	switch c := p.peek(); {
	case c == '{':
		v.kind, ok = object, p.object(v)
	case c == '[':
		v.kind, ok = list, p.list(v)
	case c == '"':
		v.kind = text
		v.text, ok = p.string()
	case c == '-' || isDigit(c):
		v.kind, ok = number, p.number()
	default:
		v.kind, ok = p.word()
	}
	v.raw = p.text[start:p.at]
	return ok
}

func (p *parser) list(v *value) bool {
	return p.many(v, ']', func(kid *value) bool {
		p.enter(step{index: len(v.kids) - 1, item: true})
		defer p.leave()
		return p.value(kid)
	})
}

// object keeps the first of members with one name.
func (p *parser) object(v *value) bool {
	known := map[string]bool{}
	return p.many(v, '}', func(kid *value) bool {
		if p.blank(); p.peek() != '"' {
			return p.not("a key in quotes")
		}
		var ok bool
		if kid.name, ok = p.string(); !ok {
			return false
		}
		if p.blank(); p.peek() != ':' {
			return p.not("a colon")
		}
		p.at++
		p.enter(step{name: kid.name})
		defer p.leave()
		if known[kid.name] {
			p.fault("this key stands here already", "keep one of them")
			var second value
			v.kids = v.kids[:len(v.kids)-1]
			return p.value(&second)
		}
		known[kid.name] = true
		return p.value(kid)
	})
}

// many reads what stands between brackets, commas between.
func (p *parser) many(v *value, end byte, read func(kid *value) bool) bool {
	if len(p.path) == maxDepth {
		return p.stop(fmt.Sprintf("nested more than %d deep", maxDepth), "")
	}
	p.at++
	if p.blank(); p.peek() == end {
		p.at++
		return true
	}
	for {
		if len(v.kids) == p.items {
			return p.stop(fmt.Sprintf("more than %d items", p.items), "send fewer at once")
		}
		v.kids = append(v.kids, value{})
		if !read(&v.kids[len(v.kids)-1]) {
			return false
		}
		p.blank()
		switch p.peek() {
		case ',':
			p.at++
		case end:
			p.at++
			return true
		default:
			return p.not("a comma or " + string(end))
		}
	}
}

// number leaves what the number is to who wants one.
func (p *parser) number() bool {
	if p.peek() == '-' {
		p.at++
	}
	if first := p.at; !p.digits() {
		return false
	} else if p.text[first] == '0' && p.at-first > 1 {
		p.fault("a number begins with 0", "")
	}
	if p.peek() == '.' {
		p.at++
		if !p.digits() {
			return false
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.at++
		if c := p.peek(); c == '+' || c == '-' {
			p.at++
		}
		return p.digits()
	}
	return true
}

func (p *parser) digits() bool {
	if !isDigit(p.peek()) {
		return p.not("a digit")
	}
	for isDigit(p.peek()) {
		p.at++
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (p *parser) word() (kind, bool) {
	for word, k := range map[string]kind{"true": boolean, "false": boolean, "null": null} {
		if strings.HasPrefix(p.text[p.at:], word) {
			p.at += len(word)
			return k, true
		}
	}
	return null, p.not("a value")
}

func (p *parser) blank() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// peek is the next byte, 0 at the end. A 0 that was sent is nowhere right either.
func (p *parser) peek() byte {
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

// not stops the reading: the next character is none of those wanted.
func (p *parser) not(wanted string) bool {
	is := "the body ends"
	if p.at < len(p.text) {
		c, _ := utf8.DecodeRuneInString(p.text[p.at:])
		is = fmt.Sprintf("%q stands", c)
	}
	return p.stop(p.where()+is+" where "+wanted+" should be", "")
}

// where is the line and column that a person would look at.
func (p *parser) where() string {
	before := p.text[:p.at]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return fmt.Sprintf("line %d, column %d: ", strings.Count(before, "\n")+1, utf8.RuneCountInString(line)+1)
}
