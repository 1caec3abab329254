package main

import (
	"bytes"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// switchOn answers every request as one for the switch, if it shows this key.
func switchOn(t *testing.T, secret string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != strings.TrimSpace("Bearer "+secret) && got != secret {
			t.Errorf("shown was %q, want the key %q", got, secret)
		}
		w.Write([]byte(`{"filtering":"on","etag":""}`))
	}
}

// filteringOf types postern filtering with this environment.
func filteringOf(t *testing.T, env map[string]string, flags ...string) (out, errs string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := &console{out: &stdout, err: &stderr, getenv: func(name string) string { return env[name] }}
	code = c.run(t.Context(), append([]string{"filtering"}, flags...))
	return stdout.String(), stderr.String(), code
}

func TestDialTLS(t *testing.T) {
	server := httptest.NewTLSServer(switchOn(t, "psk_file"))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	ca, key := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "key")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for name, text := range map[string][]byte{ca: cert, key: []byte("psk_file\n")} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, errs, code := filteringOf(t, nil, "--api", server.URL, "--cacert", ca, "--key-file", key)
	if out != "filtering on\n" || code != 0 {
		t.Errorf("ended with %d: %s%s", code, out, errs)
	}
	// The environment names what no flag does; a file is stronger than the secret.
	env := map[string]string{"POSTERN_API": server.URL, "POSTERN_KEY_FILE": key, "POSTERN_KEY": "psk_env"}
	if out, errs, code := filteringOf(t, env, "--cacert", ca); code != 0 {
		t.Errorf("ended with %d: %s%s", code, out, errs)
	}
}

func TestDialTrustsNobodyElse(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	want := "postern: ask the agent at " + server.URL + ": tls: failed to verify certificate: x509: certificate signed by unknown authority\n"
	if _, errs, code := filteringOf(t, nil, "--api", server.URL); code != 1 || errs != want {
		t.Errorf("ended with %d: %s", code, errs)
	}
}

// Who calls on the socket is known by the kernel, and needs no key.
func TestDialSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: switchOn(t, "")}}
	server.Start()
	t.Cleanup(server.Close)
	if out, errs, code := filteringOf(t, map[string]string{"POSTERN_API": "unix://" + path}); code != 0 {
		t.Errorf("ended with %d: %s%s", code, out, errs)
	}
}
