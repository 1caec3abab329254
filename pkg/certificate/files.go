package certificate

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// files are read again and compared by what they say: they are small, and no
// stamp tells every change.
type files struct {
	paths  []string
	said   [][]byte
	failed string    // how the last reading did
	looked time.Time // zero: never
}

// pause is how long what was read goes for what is there.
const pause = time.Second

func (f *files) due(now time.Time) bool { return now.Sub(f.looked) >= pause || now.Before(f.looked) }

// read is the files' content where it is new, and what is newly wrong.
func (f *files) read(now time.Time) ([][]byte, policy.Problems) {
	f.looked = now
	data := make([][]byte, len(f.paths))
	var problems policy.Problems
	for i, path := range f.paths {
		var err error
		if data[i], err = os.ReadFile(path); err != nil {
			problems = append(problems, policy.Problem{Pos: policy.Pos{File: path}, What: "read: " + cause(err).Error()})
		}
	}
	before := f.failed
	f.failed = problems.Error()
	switch {
	case len(problems) > 0 && f.failed == before:
		return nil, nil
	case len(problems) > 0:
		return nil, problems
	case slices.EqualFunc(data, f.said, bytes.Equal):
		return nil, nil
	}
	f.said = data
	return data, nil
}

// cause leaves out the path, which stands before it.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

func encode(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}
