package config

import (
	"crypto/sha256"
	"encoding/json"

	"github.com/postern-io/postern/pkg/policy"
)

// Text is a list file that lies in no list directory.
type Text struct {
	Name string // what its problems call it
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
// may not say the same thing. The files are in the order of texts, and with errors
// they are not to be used.
func ReadListFiles(texts []Text) ([]ListFile, policy.Problems) {
	read := make(map[string]*source, len(texts))
	files := make([]ListFile, len(texts))
	for i, t := range texts {
		s := &source{sum: sha256.Sum256(t.Data)}
		s.says, s.problems = readList(t.Name, t.Data)
		read[t.Name] = s
		files[i] = s.says.alone(t.Name)
	}
	l := &Lists{}
	l.take(read)
	return files, l.problems()
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
