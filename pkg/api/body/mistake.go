package body

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/postern-io/postern/pkg/addr"
)

// Mistake is one thing wrong with a body.
type Mistake struct {
	Path   string `json:"path"` // $.ips[3]
	What   string `json:"what"`
	Remedy string `json:"remedy,omitempty"`
}

// Error is "path: what; remedy".
func (m *Mistake) Error() string {
	text := m.Path + ": " + m.What
	if m.Remedy != "" {
		text += "; " + m.Remedy
	}
	return text
}

// Refusal is a body that was not taken, and all that is wrong with it.
type Refusal struct {
	Status   int // of the answer: 400, 408, 413 or 415
	Mistakes []Mistake
}

func (r *Refusal) Error() string {
	lines := make([]string, len(r.Mistakes))
	for i := range r.Mistakes {
		lines[i] = r.Mistakes[i].Error()
	}
	return strings.Join(lines, "\n")
}

func refusal(status int, what, remedy string) *Refusal {
	return &Refusal{Status: status, Mistakes: []Mistake{{Path: "$", What: what, Remedy: remedy}}}
}

// maxMistakes are told one by one. A list of the wrong kind of entries is not
// understood better for ten thousand.
const maxMistakes = 1000

// findings are the mistakes so far, and where the reading stands.
type findings struct {
	path  path
	found []Mistake
	more  int // beyond maxMistakes
}

// fault notes a mistake where the reading stands.
func (f *findings) fault(what, remedy string) {
	if f.full() {
		f.more++
		return
	}
	f.note(what, remedy)
}

// stop notes a mistake after which nothing can be read. It is told in any case,
// and false.
func (f *findings) stop(what, remedy string) bool {
	f.note(what, remedy)
	return false
}

func (f *findings) note(what, remedy string) {
	f.found = append(f.found, Mistake{Path: f.path.String(), What: what, Remedy: remedy})
}

// full reports whether another mistake would only be counted.
func (f *findings) full() bool { return len(f.found) >= maxMistakes }

// count is how many mistakes there are.
func (f *findings) count() int { return len(f.found) + f.more }

// mistake notes err, with its remedy where it brings one.
func (f *findings) mistake(err error) {
	a, ofAddress := errors.AsType[*addr.Error](err)
	m, whole := errors.AsType[*Mistake](err)
	switch {
	case ofAddress:
		f.fault(a.What, a.Remedy)
	case whole:
		f.fault(m.What, m.Remedy)
	default:
		f.fault(err.Error(), "")
	}
}

func (f *findings) refusal() error {
	if len(f.found) == 0 {
		return nil
	}
	if f.more > 0 {
		f.found = append(f.found, Mistake{Path: "$", What: fmt.Sprintf("%d mistakes more", f.more)})
	}
	return &Refusal{Status: http.StatusBadRequest, Mistakes: f.found}
}

// path leads from the body's outermost value to one inside.
type path []step

// step is a member by its name, or an item by its number.
type step struct {
	name  string
	index int
	item  bool
}

var bareName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

func (p path) String() string {
	var b strings.Builder
	b.WriteByte('$')
	for _, s := range p {
		switch {
		case s.item:
			fmt.Fprintf(&b, "[%d]", s.index)
		case bareName.MatchString(s.name):
			b.WriteString("." + s.name)
		default:
			b.WriteString("[" + show(s.name) + "]")
		}
	}
	return b.String()
}

func (f *findings) enter(s step) { f.path = append(f.path, s) }
func (f *findings) leave()       { f.path = f.path[:len(f.path)-1] }

// show bounds and quotes what came from outside.
func show(text string) string {
	const most = 80
	if len(text) > most {
		text = text[:most] + "..."
	}
	return strconv.Quote(text)
}
