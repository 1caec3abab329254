package serve

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// start serves h on l until the test ends.
func start(t *testing.T, l net.Listener, h http.Handler) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, h) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
}

func selfSigned(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		NextProtos:   []string{"h2", "http/1.1"},
	}
}

func TestPeer(t *testing.T) {
	dir, err := os.MkdirTemp("", "serve")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, address := range []string{"unix://" + filepath.Join(dir, "s"), "http://127.0.0.1:0", "http://[::1]:0", "https://127.0.0.1:0"} {
		t.Run(address[:strings.IndexByte(address, ':')], func(t *testing.T) {
			before := time.Now()
			l, err := Listen(address, Config{TLS: selfSigned(t)})
			if err != nil {
				t.Fatal(err)
			}
			peers := make(chan Peer, 1)
			protocol := ""
			start(t, l, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				p, ok := PeerOf(r.Context())
				if !ok {
					t.Error("nobody is at the other end")
				}
				protocol = r.Proto
				peers <- p
			}))
			var client net.Addr
			tr := &http.Transport{
				TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true,
				DialContext: func(context.Context, string, string) (net.Conn, error) {
					c, err := net.Dial(l.Addr().Network(), strings.TrimSuffix(l.Addr().String(), ".new"))
					if err == nil {
						client = c.LocalAddr()
					}
					return c, err
				},
			}
			defer tr.CloseIdleConnections()
			scheme, _, _ := strings.Cut(strings.Replace(address, "unix", "http", 1), ":")
			resp, err := (&http.Client{Transport: tr}).Get(scheme + "://agent/")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			p := <-peers
			if p.Since.Before(before) || p.Since.After(time.Now()) {
				t.Errorf("connected at %s", p.Since)
			}
			switch {
			case p.Local != strings.HasPrefix(address, "unix"):
				t.Errorf("peer is %+v", p)
			case p.Local && p.UID != uint32(os.Getuid()):
				t.Errorf("peer is %+v", p)
			case !p.Local && p.Addr.String() != client.String():
				t.Errorf("peer is %s, want %s", p.Addr, client)
			}
			if want := map[string]string{"https": "HTTP/2.0", "http": "HTTP/1.1"}[scheme]; protocol != want {
				t.Errorf("%s, want %s", protocol, want)
			}
		})
	}
}

// pipes is a listener whose connections keep to a bubble's clock.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// TestSlow holds callers to their time: each does one thing too slowly.
func TestSlow(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
	tests := []struct {
		name  string
		sends string
		reads bool // the answer
		takes time.Duration
	}{
		{"sends-nothing", "", true, headerTime},
		{"sends-half-a-header", "POST / HTTP/1.1\r\nHost", true, headerTime},
		{"sends-half-a-body", head + "12345", true, requestTime},
		{"takes-no-answer", head + "1234567890", false, requestTime},
		{"stays-idle", "GET /idle HTTP/1.1\r\nHost: x\r\n\r\n", true, idleTime},
		{"is-extended", "GET /extended HTTP/1.1\r\nHost: x\r\n\r\n", false, 2 * requestTime},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &pipes{make(chan net.Conn), make(chan struct{})}
				start(t, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch r.URL.Path {
					case "/idle":
						return
					case "/extended":
						Extend(w, 2*requestTime)
					}
					if _, err := io.ReadAll(r.Body); err != nil {
						return
					}
					for err := error(nil); err == nil; {
						_, err = w.Write(make([]byte, 1<<10))
					}
				}))
				c := l.dial()
				defer c.Close()
				begin := time.Now()
				if _, err := io.WriteString(c, tt.sends); err != nil {
					t.Fatal(err)
				}
				if tt.reads {
					io.Copy(io.Discard, c)
				} else {
					waitForEnd(c)
				}
				if took := time.Since(begin).Round(time.Second); took != tt.takes {
					t.Errorf("let go after %s, want %s", took, tt.takes)
				}
			})
		})
	}
}

// waitForEnd reads nothing until the other end has closed: a write then fails.
func waitForEnd(c net.Conn) {
	for {
		if _, err := c.Write([]byte("x")); err != nil {
			return
		}
	}
}

func TestLongHeader(t *testing.T) {
	l, err := Listen("http://127.0.0.1:0", Config{})
	if err != nil {
		t.Fatal(err)
	}
	start(t, l, http.NotFoundHandler())
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// As the server closes it may find bytes unread, and reset.
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 2*headerBytes)+"\r\n\r\n")
	line, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "HTTP/1.1 431 ") {
		t.Errorf("answered %q", line)
	}
}

// Answers under way are finished; new callers find nobody.
func TestShutdown(t *testing.T) {
	l, err := Listen("http://127.0.0.1:0", Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Serve(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
			io.WriteString(w, "finished")
		}))
	}()
	resp, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "finished" {
		t.Errorf("answer %q, %v", text, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("somebody still listens")
	}
}
