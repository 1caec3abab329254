package certificate

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// chain is the certificates of one file, and what is wrong with them.
type chain struct {
	file  string
	certs []*x509.Certificate // from the leaf to the root, once ordered
	found policy.Problems
}

func (c *chain) errorf(remedy, format string, args ...any) {
	c.found = append(c.found, policy.Problem{Pos: policy.Pos{File: c.file}, What: fmt.Sprintf(format, args...), Remedy: remedy})
}

func (c *chain) warnf(remedy, format string, args ...any) {
	c.errorf(remedy, format, args...)
	c.found[len(c.found)-1].Warning = true
}

// parse reads the certificates out of a PEM file, in the order they stand there.
// A key may stand beside them.
func parse(file string, data []byte) *chain {
	c := &chain{file: file}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			c.errorf("", "certificate %d: %s", len(c.certs)+1, err)
			return c
		}
		c.certs = append(c.certs, cert)
	}
	if len(c.certs) == 0 {
		c.errorf("write PEM: -----BEGIN CERTIFICATE-----", "no certificate stands in it")
	}
	return c
}

// order makes c the way from leaf to root, whatever the order of the file: a
// client that takes only ordered chains is served, and the file's owner is told.
func (c *chain) order(leaf *x509.Certificate) {
	path := []*x509.Certificate{leaf}
	for last := leaf; last != nil && !selfSigned(last); {
		if last = issuer(last, c.certs); last == nil || slices.ContainsFunc(path, last.Equal) {
			break
		}
		path = append(path, last)
	}
	kept := c.certs[:0:0]
	for _, cert := range c.certs {
		switch {
		case !slices.ContainsFunc(path, cert.Equal):
			c.warnf("remove it", "the certificate of %s is no part of the chain", name(cert))
		case slices.ContainsFunc(kept, cert.Equal):
			c.warnf("keep one of them", "the certificate of %s stands there twice", name(cert))
		default:
			kept = append(kept, cert)
		}
	}
	if !slices.EqualFunc(kept, path, func(a, b *x509.Certificate) bool { return a.Equal(b) }) {
		c.warnf("write them so: leaf first, root last", "its certificates are out of order, and are sent as %s", names(path))
	}
	c.certs = path
}

// judge finds what clients would refuse an ordered chain for.
func (c *chain) judge(now time.Time, roots *x509.CertPool) {
	for _, cert := range c.certs {
		switch {
		case now.After(cert.NotAfter):
			c.warnf("renew it", "the certificate of %s is over since %s", name(cert), cert.NotAfter.Format(time.RFC3339))
		case now.Before(cert.NotBefore):
			c.warnf("look at the clock", "the certificate of %s holds only from %s on", name(cert), cert.NotBefore.Format(time.RFC3339))
		}
	}
	if leaf := c.certs[0]; len(leaf.DNSNames)+len(leaf.IPAddresses) == 0 {
		c.warnf("have it issued with its names as subject alternative names", "the certificate of %s names no host, and clients go by nothing else", name(leaf))
	}
	last := c.certs[len(c.certs)-1]
	if selfSigned(last) || knows(roots, last, now) {
		return
	}
	c.warnf("append the certificates up to the root",
		"the certificate of %s, which issued that of %s, is missing: clients fail with CERTIFICATE_VERIFY_FAILED", last.Issuer, name(last))
}

// knows reports whether the roots have who issued cert; nil are this host's.
func knows(roots *x509.CertPool, cert *x509.Certificate, now time.Time) bool {
	_, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, none := errors.AsType[x509.SystemRootsError](err)
	return !unknown && !none
}

func issuer(of *x509.Certificate, among []*x509.Certificate) *x509.Certificate {
	for _, c := range among {
		if bytes.Equal(c.RawSubject, of.RawIssuer) && of.CheckSignatureFrom(c) == nil {
			return c
		}
	}
	return nil
}

func selfSigned(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }

func name(c *x509.Certificate) string {
	switch {
	case c.Subject.CommonName != "":
		return c.Subject.CommonName
	case len(c.DNSNames) > 0:
		return c.DNSNames[0]
	}
	return c.Subject.String()
}

func names(certs []*x509.Certificate) string {
	all := make([]string, len(certs))
	for i, c := range certs {
		all[i] = name(c)
	}
	return strings.Join(all, ", ")
}
