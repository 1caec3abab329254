package certificate

import (
	"crypto/x509"
	"sync"
	"time"
)

// Dates tells from when until when hosts' certificates hold, of files that are
// renewed under it. It needs no keys.
type Dates struct {
	now   func() time.Time
	mu    sync.Mutex
	files []dated
}

// dated is one file, and its leaf as last read.
type dated struct {
	file files
	leaf *x509.Certificate
}

// NewDates tells of these PEM files. One that cannot be read tells nothing, or
// what it said before.
func NewDates(paths []string) *Dates {
	d := &Dates{now: time.Now}
	for _, path := range paths {
		d.files = append(d.files, dated{file: files{paths: []string{path}}})
	}
	return d
}

// Of are the dates of the certificate that names host; of several, the one that
// holds longest.
func (d *Dates) Of(host string) (notBefore, notAfter time.Time, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.files {
		leaf := d.files[i].read(d.now())
		if leaf == nil || leaf.VerifyHostname(host) != nil || leaf.NotAfter.Before(notAfter) {
			continue
		}
		notBefore, notAfter, ok = leaf.NotBefore, leaf.NotAfter, true
	}
	return notBefore, notAfter, ok
}

// read looks at the file where it is time to. The leaf is the first certificate
// that is no authority's.
func (f *dated) read(now time.Time) *x509.Certificate {
	if !f.file.due(now) {
		return f.leaf
	}
	data, _ := f.file.read(now)
	if data == nil {
		return f.leaf
	}
	c := parse(f.file.paths[0], data[0])
	for i, cert := range c.certs {
		if i == 0 || f.leaf.IsCA && !cert.IsCA {
			f.leaf = cert
		}
	}
	return f.leaf
}
