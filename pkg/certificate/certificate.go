// Package certificate serves TLS from PEM files that are renewed under it, and
// names what is wrong with them before a client does.
//
// A file should hold the whole chain: the leaf, then the intermediates, then the
// root. One out of order is put right and told; one that is incomplete, over or
// without names is served as it is and told, since to serve nothing would be
// worse; one that cannot be read, or whose key is another's, is not served, and
// where there was a good one before, that one stays.
package certificate

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// Pair is a certificate and its key, as they stand in their files.
type Pair struct {
	report  func(policy.Problems)
	now     func() time.Time
	mu      sync.Mutex // of files
	files   files
	current atomic.Pointer[tls.Certificate]
}

// Open reads a pair. Its error is a policy.Problems. Warnings go to report, now
// and whenever the files change, and then errors too.
func Open(cert, key string, report func(policy.Problems)) (*Pair, error) {
	p := &Pair{report: report, now: time.Now, files: files{paths: []string{cert, key}}}
	if err := p.read().Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// TLS is for servers: the pair as it is at each handshake, TLS 1.2 or newer,
// HTTP/2 before HTTP/1.1.
func (p *Pair) TLS() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.latest(), nil },
	}
}

// latest looks at the files at most once a second, and only one handshake at a
// time waits for them.
func (p *Pair) latest() *tls.Certificate {
	if p.mu.TryLock() {
		defer p.mu.Unlock()
		if p.files.due(p.now()) {
			p.read()
		}
	}
	return p.current.Load()
}

// read takes the files up where they changed and are good.
func (p *Pair) read() policy.Problems {
	data, problems := p.files.read(p.now())
	if data != nil {
		var pair *tls.Certificate
		if pair, problems = load(p.files.paths[0], p.files.paths[1], data[0], data[1], p.now(), nil); pair != nil {
			p.current.Store(pair)
		}
	}
	if len(problems) > 0 {
		p.report(problems)
	}
	return problems
}

// load makes a pair of two files' content; nil where there are errors.
func load(certFile, keyFile string, cert, key []byte, now time.Time, roots *x509.CertPool) (*tls.Certificate, policy.Problems) {
	c := parse(certFile, cert)
	if c.found.Err() != nil {
		return nil, c.found
	}
	private, leaf, err := match(c.certs, cert, key)
	if err != nil {
		return nil, policy.Problems{{
			Pos: policy.Pos{File: keyFile}, What: err.Error(), Remedy: "write the key that the certificate was asked for with",
		}}
	}
	c.order(leaf)
	c.judge(now, roots)
	pair := &tls.Certificate{PrivateKey: private, Leaf: leaf}
	for _, cert := range c.certs {
		pair.Certificate = append(pair.Certificate, cert.Raw)
	}
	return pair, c.found
}

// match finds the certificate that a key belongs to.
func match(certs []*x509.Certificate, certPEM, keyPEM []byte) (crypto.PrivateKey, *x509.Certificate, error) {
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err == nil {
		return pair.PrivateKey, certs[0], nil
	}
	for _, cert := range certs[1:] {
		if pair, err := tls.X509KeyPair(encode(cert), keyPEM); err == nil {
			return pair.PrivateKey, cert, nil
		}
	}
	return nil, nil, fmt.Errorf("it is no key of %s: %w", name(certs[0]), err)
}
