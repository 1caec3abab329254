package body

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/postern-io/postern/pkg/policy"
)

func post(body io.Reader, header ...string) (*httptest.ResponseRecorder, *http.Request) {
	r := httptest.NewRequest("POST", "/", body)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return httptest.NewRecorder(), r
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

func TestRead(t *testing.T) {
	small := Limits{Bytes: 20}
	tests := []struct {
		name   string
		body   io.Reader
		header []string
		status int
		err    string
	}{
		{name: "good", body: strings.NewReader(`{"name":"x"}`)},
		{name: "charset", body: strings.NewReader(`{"name":"x"}`), header: []string{"Content-Type", "Application/JSON; charset=UTF-8"}},
		{name: "no-type", body: strings.NewReader(`{"name":"x"}`), header: []string{"Content-Type", ""}, status: 415, err: `$: Content-Type is ""; send Content-Type: application/json`},
		{name: "form", body: strings.NewReader(`{"name":"x"}`), header: []string{"Content-Type", "text/plain"}, status: 415, err: `$: Content-Type is "text/plain"; send Content-Type: application/json`},
		{name: "latin", body: strings.NewReader(`{"name":"x"}`), header: []string{"Content-Type", "application/json; charset=latin1"}, status: 415, err: `$: Content-Type is "application/json; charset=latin1"; send Content-Type: application/json`},
		{name: "zipped", body: strings.NewReader(`{"name":"x"}`), header: []string{"Content-Encoding", "gzip"}, status: 415, err: `$: Content-Encoding is "gzip"; send the body as it is`},
		{name: "long-as-it-says", body: strings.NewReader(`{"name":"0123456789"}`), status: 413, err: `$: the body is longer than 20 bytes; send less at once`},
		{name: "long-unsaid", body: io.MultiReader(strings.NewReader(`{"name":"0123456789"}`)), status: 413, err: `$: the body is longer than 20 bytes; send less at once`},
		{name: "slow", body: broken{os.ErrDeadlineExceeded}, status: 408, err: `$: the body took too long to come`},
		{name: "cut", body: broken{io.ErrUnexpectedEOF}, status: 400, err: `$: the body ended before all of it had come`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, r := post(tt.body, tt.header...)
			var name string
			err := Read(w, r, small, Object(Fields{"name": Text(&name)}))
			if msg := message(err); msg != tt.err {
				t.Fatalf("error = %q, want %q", msg, tt.err)
			}
			if r, ok := errors.AsType[*Refusal](err); ok && r.Status != tt.status {
				t.Errorf("status %d, want %d", r.Status, tt.status)
			}
			if err == nil && name != "x" {
				t.Errorf("name = %q", name)
			}
		})
	}
}

// Bodies made to cost more than they look are refused for less than what a good
// body of the greatest size costs.
func TestBounds(t *testing.T) {
	million := `{"ips":[` + strings.Repeat(`"10.0.0.1",`, 999_999) + `"10.0.0.1"]}`
	tests := []struct {
		name, in, err string
		most          uint64 // bytes allocated, the body's own included
	}{
		{"a-million-entries", million, `$.ips: more than 10000 items; send fewer at once`, 20 << 20},
		{"a-million-keys", `{` + strings.Repeat(`"a":1,`, 1_000_000) + `"a":1}`, `$.a: the body holds too many values; send fewer at once`, 40 << 20},
		{"ten-megabytes-of-text", `{"ips":["` + strings.Repeat("x", 10<<20) + `"]}`, `$.ips[0]: address ` + strings.Repeat("x", 80) + `...: not an IP address`, 80 << 20},
		{"deep-lists", strings.Repeat("[", 100_000), "$" + strings.Repeat("[0]", 64) + `: nested more than 64 deep`, 1 << 20},
		{"deep-objects", strings.Repeat(`{"a":`, 100_000), "$" + strings.Repeat(".a", 64) + `: nested more than 64 deep`, 2 << 20},
		{"wide-and-deep", `[` + strings.Repeat(`[[[0,0,0,0,0,0,0,0,0]]],`, 100_000) + `0]`, `$: more than 10000 items; send fewer at once`, 60 << 20},
		{"many-small-lists", `[` + strings.Repeat(`[`+strings.Repeat(`0,`, 999)+`0],`, 1000) + `0]`, `the body holds too many values; send fewer at once`, 60 << 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := []byte(tt.in)
			var ips []policy.Entry
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := Parse(data, Limits{}, Object(Fields{"ips": Each(&ips, Address)}))
			runtime.ReadMemStats(&after)
			if msg := message(err); !strings.Contains(msg, tt.err) {
				t.Errorf("error = %.300s, want %s", msg, tt.err)
			}
			if cost := after.TotalAlloc - before.TotalAlloc; cost > tt.most {
				t.Errorf("it took %d bytes, want at most %d", cost, tt.most)
			}
		})
	}
}

// A body is not read past its limit, however much more there is.
func TestReadStopsAtTheLimit(t *testing.T) {
	endless := &counter{}
	w, r := post(endless)
	err := Read(w, r, Limits{}, Object(nil))
	if msg := message(err); msg != "$: the body is longer than 1048576 bytes; send less at once" {
		t.Errorf("error = %q", msg)
	}
	if endless.read > 2<<20 {
		t.Errorf("%d bytes were read", endless.read)
	}
}

type counter struct{ read int }

func (c *counter) Read(b []byte) (int, error) {
	c.read += len(b)
	return len(b), nil
}
