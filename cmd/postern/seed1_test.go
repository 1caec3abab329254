package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/testenv"
)

// authority is a certificate with its key.
type authority struct {
	*x509.Certificate
	private *ecdsa.PrivateKey
}

// issue has a certificate made for hosts, or for an authority where there are
// none, by one above it, or by itself.
func (by *authority) issue(t *testing.T, subject string, from, until time.Time, hosts ...string) *authority {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: subject},
		NotBefore: from, NotAfter: until, DNSNames: hosts, IsCA: len(hosts) == 0, BasicConstraintsValid: true,
	}
	if by == nil {
		by = &authority{template, private}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.Certificate, private.Public(), by.private)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, private}
}

func bundle(certs ...*authority) string {
	var b strings.Builder
	for _, c := range certs {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.String()
}

func (a *authority) keyPEM(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(a.private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// TestSeedChain plays "make sure the PEM contains the full certificate chain, in
// leaf-to-root order": what is wrong with it is named when the agent starts, and
// callers who know the root alone see what they would.
func TestSeedChain(t *testing.T) {
	now := time.Now()
	root := (*authority)(nil).issue(t, "Test Root", now.Add(-time.Hour), now.Add(time.Hour))
	middle := root.issue(t, "Test Intermediate", now.Add(-time.Hour), now.Add(time.Hour))
	leaf := middle.issue(t, "api.example.com", now.Add(-time.Hour), now.Add(time.Hour), "api.example.com")
	const file = "/tls.crt: warning: "
	tests := []struct {
		name string
		pem  string
		said string // in the log; "": nothing of certificates
		good bool   // for who knows the root
	}{
		{"leaf-to-root", bundle(leaf, middle, root), "", true},
		{
			"out-of-order", bundle(leaf, root, middle),
			file + "its certificates are out of order, and are sent as api.example.com, Test Intermediate, Test Root", true,
		},
		{
			"no-intermediate", bundle(leaf),
			file + "the certificate of CN=Test Intermediate, which issued that of api.example.com, is missing: clients fail with CERTIFICATE_VERIFY_FAILED", false,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newSecureRig(t, tt.pem, leaf)
			r.write("root.pem", bundle(root))
			r.start("ok")
			if said := r.said.String(); tt.said != "" && !strings.Contains(said, tt.said) || tt.said == "" && strings.Contains(said, "tls.crt") {
				t.Errorf("of certificates the log should say %q:\n%s", tt.said, said)
			}
			if _, err := r.output(nil, "curl", r.secure("root.pem")...); (err == nil) != tt.good {
				t.Errorf("a caller who knows the root alone: %v", err)
			}
		})
	}
}

// TestSeedChainRenewed renews the certificate under a running agent, and then
// breaks it.
func TestSeedChainRenewed(t *testing.T) {
	now := time.Now()
	old := (*authority)(nil).issue(t, "Old Root", now.Add(-time.Hour), now.Add(time.Hour))
	leaf := old.issue(t, "api.example.com", now.Add(-time.Hour), now.Add(time.Hour), "api.example.com")
	r := newSecureRig(t, bundle(leaf, old), leaf)
	r.write("root.pem", bundle(old))
	r.start("ok")
	good := func() error {
		_, err := r.output(nil, "curl", r.secure("root.pem")...)
		return err
	}
	if err := good(); err != nil {
		t.Fatal(err)
	}
	fresh := (*authority)(nil).issue(t, "New Root", now.Add(-time.Hour), now.Add(time.Hour))
	renewed := fresh.issue(t, "api.example.com", now.Add(-time.Hour), now.Add(time.Hour), "api.example.com")
	r.write("tls.key", renewed.keyPEM(t))
	r.write("tls.crt", bundle(renewed, fresh))
	r.write("root.pem", bundle(fresh))
	testenv.Eventually(t, 10*time.Second, good)

	r.write("tls.crt", "not a certificate\n")
	testenv.Eventually(t, 10*time.Second, func() error {
		if err := good(); err != nil {
			t.Fatalf("a broken file is served: %v", err)
		}
		if want := "/tls.crt: no certificate stands in it"; !strings.Contains(r.said.String(), want) {
			return fmt.Errorf("the log does not say %q", want)
		}
		return nil
	})
}

// newSecureRig has an https listener.
func newSecureRig(t *testing.T, pem string, leaf *authority) *rig {
	t.Helper()
	r := newRig(t)
	r.offer("  tls: {cert: tls.crt, key: tls.key}", `
  - {name: data, address: everything, ports: [443], tenants: [acme]}
`)
	r.edit("postern.yaml", `"http://127.0.0.1:9440"`, `"https://127.0.0.1:9440"`)
	r.write("tls.crt", pem)
	r.write("tls.key", leaf.keyPEM(t))
	return r
}

// secure are the arguments with which curl asks for something over https.
func (r *rig) secure(roots string) []string {
	return slices.Concat([]string{"--cacert", r.dir + "/" + roots, "--connect-to", "::127.0.0.1:9440"},
		strings.Fields("--silent --show-error --fail --noproxy * --max-time 5 https://api.example.com/api/v1/published"))
}
