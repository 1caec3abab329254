package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"iter"
	"regexp"

	"github.com/postern-io/postern/pkg/policy"
)

// Text is what lies in no list directory: a list file, or several, each begun by
// a line "---".
type Text struct {
	Name string // what problems call it
	Data []byte
}

// ListFile is what one list file says, and no more: what it leaves out is nil or
// empty.
type ListFile struct {
	Name        string // the file's
	Tenant      string // "": the system
	TenantName  string
	Hosts       []string
	SelfService *bool
	Attributes  json.RawMessage
	Lists       map[string]*policy.List            // by resource
	Users       map[string]map[string]*policy.List // by user, then by resource
}

// ReadListFiles reads texts as list files that are to hold together: two of them
// may not say the same thing. They are in the order of the texts, and with errors
// they are not to be used.
func ReadListFiles(texts []Text) ([]ListFile, policy.Problems) {
	read := map[string]*source{}
	var files []ListFile
	for _, t := range texts {
		for above, data := range documents(t.Data) {
			s := &source{sum: sha256.Sum256(data)}
			s.says, s.problems = readList(&reader{file: t.Name, above: above}, data)
			read[fmt.Sprintf("%s:%d", t.Name, above)] = s
			files = append(files, s.says.alone(t.Name))
		}
	}
	l := &Lists{}
	l.take(read)
	problems := l.problems()
	problems.Sort()
	return files, problems
}

var (
	between = regexp.MustCompile(`(?m)^---(?:[ \t]+#.*|[ \t]*)\r?(?:\n|\z)`)
	blank   = regexp.MustCompile(`\A(?:[ \t]*(?:#.*)?\r?(?:\n|\z))*\z`)
)

// documents are the parts of a text between lines "---", by the number of lines
// above them. One of blanks and comments is none, unless all are. A "---" inside
// of a document would be indented.
func documents(text []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		found, above := false, 0
		for len(text) > 0 || !found {
			part, next := text, []byte(nil)
			if at := between.FindIndex(text); at != nil {
				part, next = text[:at[0]], text[at[1]:]
			}
			last := len(next) == 0
			if !blank.Match(part) || last && !found {
				found = true
				if !yield(above, part) {
					return
				}
			}
			above += bytes.Count(text[:len(text)-len(next)], []byte("\n"))
			text = next
		}
	}
}

// ListFilesIn are the paths of a directory's list files.
func ListFilesIn(dir string) ([]string, policy.Problems) { return listFiles([]string{dir}) }

// alone is what f says, whatever other files say.
func (f *listFile) alone(name string) ListFile {
	if f.tenant == nil {
		return ListFile{Name: name, Lists: f.system}
	}
	t := f.tenant
	says := ListFile{
		Name: name, Tenant: t.ID, TenantName: t.Name, Hosts: t.Hosts,
		Attributes: t.Attributes, Lists: t.Lists, Users: t.Users,
	}
	if f.staff {
		says.SelfService = new(!t.StaffOnly)
	}
	return says
}
