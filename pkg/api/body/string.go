package body

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// string reads text in quotes, whose first is next. Most has neither escapes nor
// more than ASCII, and is part of the body.
func (p *parser) string() (string, bool) {
	p.at++
	start := p.at
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return p.text[start : p.at-1], true
		case c == '\\' || c >= utf8.RuneSelf:
			return p.rest(p.text[start:p.at])
		case c < ' ':
			return "", p.not("an escape")
		}
		p.at++
	}
	return "", p.not("a closing quote")
}

// rest reads on in text that began plainly.
func (p *parser) rest(plain string) (string, bool) {
	var b strings.Builder
	b.WriteString(plain)
	sound := true
	for p.at < len(p.text) {
		c, size := utf8.DecodeRuneInString(p.text[p.at:])
		switch {
		case c == '"':
			p.at++
			return b.String(), true
		case c == '\\':
			if !p.escape(&b) {
				return "", false
			}
			continue
		case c < ' ':
			return "", p.not("an escape")
		case c == utf8.RuneError && size == 1 && sound:
			p.fault("not UTF-8", "")
			sound = false
		}
		p.at += size
		b.WriteRune(c)
	}
	return "", p.not("a closing quote")
}

// escaped is what a character after a backslash stands for.
var escaped = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (p *parser) escape(b *strings.Builder) bool {
	p.at++
	if p.peek() == 'u' {
		return p.unicode(b)
	}
	c, ok := escaped[p.peek()]
	if !ok {
		return p.not("an escaped character")
	}
	p.at++
	b.WriteByte(c)
	return true
}

// unicode reads \uXXXX from its u on, and a second one where the first is half of
// a pair.
func (p *parser) unicode(b *strings.Builder) bool {
	c, ok := p.hex()
	if !ok {
		return false
	}
	if utf16.IsSurrogate(c) {
		pair := rune(utf8.RuneError)
		if strings.HasPrefix(p.text[p.at:], `\u`) {
			p.at++
			second, ok := p.hex()
			if !ok {
				return false
			}
			pair = utf16.DecodeRune(c, second)
		}
		if c = pair; c == utf8.RuneError {
			p.fault("half of a surrogate pair", "write the character itself")
		}
	}
	b.WriteRune(c)
	return true
}

func (p *parser) hex() (rune, bool) {
	p.at++
	digits := p.text[p.at:min(p.at+4, len(p.text))]
	c, err := strconv.ParseUint(digits, 16, 16)
	if err != nil || len(digits) < 4 {
		return 0, p.not("four hexadecimal digits")
	}
	p.at += 4
	return rune(c), true
}
