package policy

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How long what people write beside addresses may be, in characters.
const (
	MaxName    = 255
	MaxComment = 1024
	MaxReason  = 1024
)

// WrongText says what is wrong with a line that people read, and what to do about
// it; "" is nothing. Control characters would write over the terminal, or the log,
// that shows it.
func WrongText(line string, most int) (what, remedy string) {
	if n := utf8.RuneCountInString(line); n > most {
		return fmt.Sprintf("has %d characters", n), fmt.Sprintf("use at most %d", most)
	}
	if !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) {
		return "has bytes that are no text", "use printable text"
	}
	return "", ""
}
