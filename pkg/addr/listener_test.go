package addr

import "testing"

func TestParseListener(t *testing.T) {
	const shape = "not unix:///path, http://host:port or https://host:port"
	const clear = "not a loopback address, and keys would go over the wire in the clear"
	tests := []struct{ name, in, want, err string }{
		{name: "unix", in: "unix:///run/postern/api.sock"},
		{name: "loopback-v4", in: "http://127.0.0.1:9450"},
		{name: "loopback-v6", in: "http://[::1]:9450"},
		{name: "localhost", in: "http://localhost:9450"},
		{name: "slash", in: "http://127.0.0.1:9450/", want: "http://127.0.0.1:9450"},
		{name: "any", in: "https://0.0.0.0:9440"},
		{name: "no-host", in: "https://:9440"},
		{name: "bare", in: "127.0.0.1:9440", err: "listener 127.0.0.1:9440: " + shape},
		{name: "empty", in: "", err: `listener "": ` + shape},
		{name: "query", in: "https://a:1?x=y", err: "listener https://a:1?x=y: " + shape},
		{name: "user", in: "https://me@a:1", err: "listener https://me@a:1: " + shape},
		{name: "no-port", in: "https://a", err: "listener https://a: has no port"},
		{name: "big-port", in: "https://a:65536", err: "listener https://a:65536: has no port"},
		{name: "path", in: "https://a:1/api", err: "listener https://a:1/api: has a path; write https://a:1"},
		{name: "scheme", in: "tcp://a:1", err: "listener tcp://a:1: its scheme is not unix, http or https"},
		{name: "unix-host", in: "unix://run/x", err: "listener unix://run/x: not the path of a socket; write it like unix:///run/postern/api.sock"},
		{name: "unix-dots", in: "unix:///run/../x", err: "listener unix:///run/../x: not the path of a socket; write it like unix:///run/postern/api.sock"},
		{name: "clear", in: "http://192.0.2.1:80", err: "listener http://192.0.2.1:80: " + clear + "; write https://192.0.2.1:80, with tls"},
		{name: "clear-any", in: "http://:80", err: "listener http://:80: " + clear + "; write https://:80, with tls"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want == "" && tt.err == "" {
				want = tt.in
			}
			got, err := ParseListener(tt.in)
			if msg := text(err); msg != tt.err {
				t.Fatalf("error = %q, want %q", msg, tt.err)
			}
			if err == nil && got.String() != want {
				t.Errorf("read %q, want %q", got, want)
			}
		})
	}
}
