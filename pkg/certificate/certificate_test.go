package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/policy"
)

var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// party is somebody with a certificate.
type party struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue has by (nil: itself) sign a certificate, of an authority where it has no
// hosts, that holds a year around now.
func issue(t *testing.T, by *party, name string, edit func(*x509.Certificate), hosts ...string) *party {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: hosts,
		NotBefore: now.AddDate(0, -6, 0), NotAfter: now.AddDate(0, 6, 0),
		BasicConstraintsValid: true, IsCA: len(hosts) == 0,
	}
	if edit != nil {
		edit(template)
	}
	p := &party{key: key}
	if by == nil {
		by = &party{cert: template, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	if p.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return p
}

func bundle(parties ...*party) []byte {
	var data []byte
	for _, p := range parties {
		data = append(data, encode(p.cert)...)
	}
	return data
}

func (p *party) keyPEM(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestLoad(t *testing.T) {
	root := issue(t, nil, "Root", nil)
	middle := issue(t, root, "Middle", nil)
	leaf := issue(t, middle, "leaf", nil, "api.example.com")
	other := issue(t, nil, "Other", nil)
	over := issue(t, middle, "over", func(c *x509.Certificate) { c.NotAfter = now.AddDate(0, -1, 0) }, "a.example.com")
	early := issue(t, middle, "early", func(c *x509.Certificate) { c.NotBefore = now.AddDate(0, 1, 0) }, "a.example.com")
	nameless := issue(t, middle, "nameless", func(c *x509.Certificate) { c.IsCA = false })
	selfMade := issue(t, nil, "self", nil, "self.example.com")
	known := x509.NewCertPool()
	known.AddCert(root.cert)

	tests := []struct {
		name  string
		cert  []byte
		key   *party
		roots *x509.CertPool
		sent  string
		want  string
	}{
		{name: "whole", cert: bundle(leaf, middle, root), key: leaf, sent: "leaf, Middle, Root"},
		{name: "root-known", cert: bundle(leaf, middle), key: leaf, roots: known, sent: "leaf, Middle"},
		{name: "self-signed", cert: bundle(selfMade), key: selfMade, sent: "self"},
		{name: "no-intermediate", cert: bundle(leaf), key: leaf, roots: known, sent: "leaf", want: "c.pem: warning: the certificate of CN=Middle, which issued that of leaf, is missing: clients fail with CERTIFICATE_VERIFY_FAILED; append the certificates up to the root"},
		{name: "no-root", cert: bundle(leaf, middle), key: leaf, sent: "leaf, Middle", want: "c.pem: warning: the certificate of CN=Root, which issued that of Middle, is missing: clients fail with CERTIFICATE_VERIFY_FAILED; append the certificates up to the root"},
		{name: "out-of-order", cert: bundle(leaf, root, middle), key: leaf, sent: "leaf, Middle, Root", want: "c.pem: warning: its certificates are out of order, and are sent as leaf, Middle, Root; write them so: leaf first, root last"},
		{name: "leaf-last", cert: bundle(root, middle, leaf), key: leaf, sent: "leaf, Middle, Root", want: "c.pem: warning: its certificates are out of order, and are sent as leaf, Middle, Root; write them so: leaf first, root last"},
		{name: "stray", cert: bundle(leaf, other, middle, root), key: leaf, sent: "leaf, Middle, Root", want: "c.pem: warning: the certificate of Other is no part of the chain; remove it"},
		{name: "twice", cert: bundle(leaf, middle, middle, root), key: leaf, sent: "leaf, Middle, Root", want: "c.pem: warning: the certificate of Middle stands there twice; keep one of them"},
		{name: "over", cert: bundle(over, middle, root), key: over, sent: "over, Middle, Root", want: "c.pem: warning: the certificate of over is over since 2026-05-01T00:00:00Z; renew it"},
		{name: "early", cert: bundle(early, middle, root), key: early, sent: "early, Middle, Root", want: "c.pem: warning: the certificate of early holds only from 2026-07-01T00:00:00Z on; look at the clock"},
		{name: "nameless", cert: bundle(nameless, middle, root), key: nameless, sent: "nameless, Middle, Root", want: "c.pem: warning: the certificate of nameless names no host, and clients go by nothing else; have it issued with its names as subject alternative names"},
		{name: "another-key", cert: bundle(leaf, middle, root), key: other, want: "k.pem: it is no key of leaf: tls: private key does not match public key; write the key that the certificate was asked for with"},
		{name: "nothing", cert: []byte("hello"), key: leaf, want: "c.pem: no certificate stands in it; write PEM: -----BEGIN CERTIFICATE-----"},
		{name: "broken", cert: append(bundle(leaf), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})...), key: leaf, want: "c.pem: certificate 2: x509: malformed certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			roots := tt.roots
			if roots == nil {
				roots = x509.NewCertPool()
			}
			pair, problems := load("c.pem", "k.pem", tt.cert, tt.key.keyPEM(t), now, roots)
			if diff := cmp.Diff(tt.want, problems.Error()); diff != "" {
				t.Error(diff)
			}
			if got := sent(t, pair); got != tt.sent {
				t.Errorf("sends %q, want %q", got, tt.sent)
			}
		})
	}
}

func sent(t *testing.T, pair *tls.Certificate) string {
	t.Helper()
	if pair == nil {
		return ""
	}
	var all []*x509.Certificate
	for _, der := range pair.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return names(all)
}

// rig is a pair in files, with a clock to turn.
type rig struct {
	*Pair
	cert, key string
	clock     time.Time
	told      []string
}

func newRig(t *testing.T, p *party) *rig {
	t.Helper()
	r := &rig{cert: filepath.Join(t.TempDir(), "c.pem"), clock: time.Now()}
	r.key = filepath.Join(filepath.Dir(r.cert), "k.pem")
	r.write(t, r.cert, bundle(p))
	r.write(t, r.key, p.keyPEM(t))
	pair, err := Open(r.cert, r.key, func(ps policy.Problems) { r.told = append(r.told, ps.Error()) })
	if err != nil {
		t.Fatal(err)
	}
	r.Pair = pair
	pair.now = func() time.Time { return r.clock }
	return r
}

func (r *rig) write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// serves is whom a client meets a while later.
func (r *rig) serves(t *testing.T) string {
	t.Helper()
	r.clock = r.clock.Add(2 * time.Second)
	client, server := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- tls.Server(server, r.TLS()).Handshake() }()
	c := tls.Client(client, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if p := c.ConnectionState().NegotiatedProtocol; p != "h2" {
		t.Errorf("protocol %q, want h2", p)
	}
	return name(c.ConnectionState().PeerCertificates[0])
}

func current(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
}

func TestReload(t *testing.T) {
	first := issue(t, nil, "first", current, "api.example.com")
	second := issue(t, nil, "second", current, "api.example.com")
	r := newRig(t, first)
	steps := []struct {
		name   string
		change func()
		serves string
		told   string
	}{
		{"as-it-was", func() {}, "first", ""},
		{"certificate-before-key", func() { r.write(t, r.cert, bundle(second)) }, "first", "k.pem: it is no key of second: tls: private key does not match public key; write the key that the certificate was asked for with"},
		{"told-once", func() {}, "first", ""},
		{"key-too", func() { r.write(t, r.key, second.keyPEM(t)) }, "second", ""},
		{"broken", func() { r.write(t, r.cert, []byte("junk")) }, "second", "c.pem: no certificate stands in it; write PEM: -----BEGIN CERTIFICATE-----"},
		{"gone", func() { os.Remove(r.cert) }, "second", "c.pem: read: no such file or directory"},
		{"still-gone", func() {}, "second", ""},
		{"back", func() { r.write(t, r.cert, bundle(second)) }, "second", ""},
		{"key-gone", func() { os.Remove(r.key) }, "second", "k.pem: read: no such file or directory"},
		{"first-again", func() { r.write(t, r.cert, bundle(first)); r.write(t, r.key, first.keyPEM(t)) }, "first", ""},
	}
	for _, s := range steps {
		r.told = nil
		s.change()
		if got := r.serves(t); got != s.serves {
			t.Errorf("%s: serves %s, want %s", s.name, got, s.serves)
		}
		if told := strings.ReplaceAll(strings.Join(r.told, "\n"), filepath.Dir(r.cert)+"/", ""); told != s.told {
			t.Errorf("%s: told %q, want %q", s.name, told, s.told)
		}
	}
}

// Within a second the files are not looked at again.
func TestReloadPauses(t *testing.T) {
	first := issue(t, nil, "first", current, "api.example.com")
	second := issue(t, nil, "second", current, "api.example.com")
	r := newRig(t, first)
	r.write(t, r.cert, bundle(second))
	r.write(t, r.key, second.keyPEM(t))
	r.clock = r.files.looked.Add(pause / 2)
	if got := name(r.latest().Leaf); got != "first" {
		t.Errorf("half a second later it serves %s", got)
	}
	r.clock = r.files.looked.Add(pause)
	if got := name(r.latest().Leaf); got != "second" {
		t.Errorf("a second later it serves %s", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(dir+"/c.pem", dir+"/k.pem", func(policy.Problems) {})
	if err == nil || strings.ReplaceAll(err.Error(), dir+"/", "") != "c.pem: read: no such file or directory\nk.pem: read: no such file or directory" {
		t.Errorf("error = %v", err)
	}
}

func TestDates(t *testing.T) {
	dir := t.TempDir()
	root := issue(t, nil, "Root", nil)
	leaf := issue(t, root, "leaf", nil, "app.example.com", "*.apps.example.com")
	longer := issue(t, root, "longer", func(c *x509.Certificate) { c.NotAfter = now.AddDate(2, 0, 0) }, "app.example.com")
	a, b := filepath.Join(dir, "a.pem"), filepath.Join(dir, "b.pem")
	for path, data := range map[string][]byte{a: bundle(root, leaf), b: []byte("junk")} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	clock := now
	d := NewDates([]string{a, b, filepath.Join(dir, "none.pem")})
	d.now = func() time.Time { return clock }
	until := func(host string) string {
		_, after, ok := d.Of(host)
		if !ok {
			return "unknown"
		}
		return after.UTC().Format(time.DateOnly)
	}
	for host, want := range map[string]string{
		"app.example.com": "2026-12-01", "x.apps.example.com": "2026-12-01", "other.example.com": "unknown",
	} {
		if got := until(host); got != want {
			t.Errorf("%s until %s, want %s", host, got, want)
		}
	}
	if err := os.WriteFile(b, bundle(longer, root), 0o600); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(pause)
	if got := until("app.example.com"); got != "2028-06-01" {
		t.Errorf("renewed until %s", got)
	}
}
