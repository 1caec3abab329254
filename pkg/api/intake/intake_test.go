package intake

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func header(kind string) http.Header { return http.Header{"Content-Type": {kind}} }

// spell tells lines as "number text#comment" or "number bad: what; remedy".
func spell(s *Source) []string {
	var told []string
	for l := range s.Entries {
		text := fmt.Sprintf("%d %s", l.Number, l.Entry.Text)
		if l.What != "" {
			text = fmt.Sprintf("%d bad %s: %s", l.Number, l.Text, l.What)
		}
		if l.Entry.Comment != "" {
			text += "#" + l.Entry.Comment
		}
		if l.Entry.Disabled {
			text += " off"
		}
		if !l.Entry.Expires.IsZero() {
			text += " until " + l.Entry.Expires.Format("2006-01-02")
		}
		told = append(told, text+" "+l.Entry.Action.String())
	}
	return told
}

func TestEntries(t *testing.T) {
	tests := []struct {
		name, kind, in string
		want           []string
		err            string
	}{
		{"lines", "text/plain; charset=utf-8", "10.0.0.1 # one\n\n# none\n 10.0.0.0/24\r\nx\n1.1.1.0-1.1.1.9", []string{
			"1 10.0.0.1#one allow", "4 10.0.0.0/24 allow", "5 bad x: address x: not an IP address allow", "6 1.1.1.0-1.1.1.9 allow",
		}, ""},
		{"lines-not-utf-8", "text/plain", "10.0.0.1 # \xff\n", []string{"1 bad 10.0.0.1 # ?: it is not UTF-8 allow"}, ""},
		{
			"lines-of-one-too-long", "text/plain", "10.0.0.1\n" + strings.Repeat("x", 70_000),
			[]string{"1 10.0.0.1 allow"},
			"$: line 2 is longer than 65536 bytes",
		},
		{"lines-with-bad-comments", "text/plain", "10.0.0.1 # \x1b[2J\n10.0.0.2 #" + strings.Repeat("x", 1025), []string{
			"1 bad 10.0.0.1 # \x1b[2J: its comment has bytes that are no text allow",
			"2 bad 10.0.0.2 #" + strings.Repeat("x", 190) + "...: its comment has 1025 characters allow",
		}, ""},
		{"csv-with-a-bad-comment", "text/csv", "address,comment\n10.0.0.1,\"a\nb\"\n", []string{
			"2 bad 10.0.0.1,a\nb: its comment has bytes that are no text allow",
		}, ""},
		{"json-with-a-bad-comment", "application/json", `[{"address":"10.0.0.1","comment":"\u0000"}]`, []string{
			`1 bad {"address":"10.0.0.1","comment":"\u0000"}: has bytes that are no text allow`,
		}, ""},
		{"no-lines", "text/plain", "", nil, ""},

		{"csv", "text/csv", "Address,comment,action,enabled,expires\n10.0.0.1,\"a, b\",deny,false,2027-01-31T00:00:00Z\n10.0.0.2,,,,\n10.0.0.3\n10.0.0.4,,maybe,,\n", []string{
			"2 10.0.0.1#a, b off until 2027-01-31 deny", "3 10.0.0.2 allow",
			"4 bad 10.0.0.3: it has 1 fields, and there are 5 columns allow", `5 bad 10.0.0.4,,maybe,,: action is "maybe" allow`,
		}, ""},
		{"csv-quoted-badly", "text/csv", "address\n10.0.0.1\n\"x\"y\n10.0.0.2\n", []string{
			"2 10.0.0.1 allow", "3 bad : extraneous or missing \" in quoted-field allow", "4 10.0.0.2 allow",
		}, ""},
		{"csv-of-no-address", "text/csv", "comment\nx\n", nil, "$: the first line names no column address; begin with a line like address,comment"},
		{"csv-of-another-column", "text/csv", "address,coment\n", nil, `$: column "coment" is unknown, or there twice; did you mean comment?`},
		{
			"csv-of-a-column-twice", "text/csv", "address,address\n", nil,
			`$: column "address" is unknown, or there twice; use each of address, action, comment, enabled, expires at most once`,
		},
		{
			"csv-of-one-too-long", "text/csv", "address\n10.0.0.1\n\"" + strings.Repeat("x", 140_000),
			[]string{"2 10.0.0.1 allow"},
			"$: line 3 is longer than 65536 bytes",
		},
		{"no-csv", "text/csv", "", nil, ""},

		{"json", "application/json", `["10.0.0.1", {"address": "10.0.0.2", "comment": "two", "action": "deny"}, {"addres": "x"}, 7]`, []string{
			"1 10.0.0.1 allow", "2 10.0.0.2#two deny", `3 bad {"addres": "x"}: no such key allow`, "4 bad 7: a number where an object should be allow",
		}, ""},
		{"json-of-none", "application/json", " [] ", nil, ""},
		{"json-of-no-list", "application/json", `{"entries": []}`, nil, "$: it is no list of entries; send [...]"},
		{"json-of-nothing", "application/json", "", nil, "$: it is no list of entries; send [...]"},
		{"json-without-end", "application/json", `["10.0.0.1"`, []string{"1 10.0.0.1 allow"}, "$: the list ends before its ]"},
		{"json-and-more", "application/json", `[] []`, nil, "$: after line 0: there is more behind the list"},
		{"json-broken", "application/json", `["10.0.0.1", }`, []string{"1 10.0.0.1 allow"}, "$: after line 2: invalid character '}' looking for beginning of value"},
		{
			"json-of-one-too-long", "application/json", `["10.0.0.1", "` + strings.Repeat("x", 140_000),
			[]string{"1 10.0.0.1 allow"},
			"$: line 2 is longer than 65536 bytes",
		},
	}
	for _, tt := range tests {
		for _, way := range []struct {
			name string
			of   func(io.Reader) io.Reader
		}{{"at-once", func(r io.Reader) io.Reader { return r }}, {"by-bytes", iotest.OneByteReader}} {
			t.Run(tt.name+"/"+way.name, func(t *testing.T) {
				s, err := Open(header(tt.kind), way.of(strings.NewReader(tt.in)))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, spell(s)); diff != "" {
					t.Error(diff)
				}
				if msg := message(s.Err()); msg != tt.err {
					t.Errorf("error = %q, want %q", msg, tt.err)
				}
			})
		}
	}
}

func TestOpen(t *testing.T) {
	_, err := Open(header("application/xml"), strings.NewReader(""))
	if msg, want := message(err), `$: Content-Type is "application/xml"; send text/plain, text/csv or application/json`; msg != want {
		t.Errorf("error = %q, want %q", msg, want)
	}
}

func TestReadingFails(t *testing.T) {
	for _, kind := range []string{"text/plain", "text/csv", "application/json"} {
		broken := errors.New("the line is dead")
		s, err := Open(header(kind), iotest.ErrReader(broken))
		if err != nil {
			t.Fatal(err)
		}
		for range s.Entries {
		}
		if s.Err() == nil {
			t.Errorf("%s: a reading that failed is told as whole", kind)
		}
		long, err := Open(header(kind), iotest.ErrReader(&http.MaxBytesError{Limit: 5}))
		if err != nil {
			t.Fatal(err)
		}
		for range long.Entries {
		}
		if msg := message(long.Err()); msg != "$: the body is longer than 5 bytes; import it in parts" {
			t.Errorf("%s: error = %q", kind, msg)
		}
	}
}

// TestMemory reads a hundred times as many bytes as it may hold.
func TestMemory(t *testing.T) {
	const lines = 1_000_000
	pr, pw := io.Pipe()
	go func() {
		for n := range lines {
			fmt.Fprintf(pw, "10.%d.%d.%d\n", n>>16, n>>8&255, n&255)
		}
		pw.Close()
	}()
	s, err := Open(header("text/plain"), pr)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	read := 0
	for range s.Entries {
		read++
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); read != lines || grown > 1<<20 {
		t.Errorf("read %d lines, and held %d bytes", read, grown)
	}
}

func FuzzEntries(f *testing.F) {
	f.Add("text/plain", "10.0.0.1 # x\n")
	f.Add("text/csv", "address,comment\n10.0.0.1,x\n")
	f.Add("application/json", `["10.0.0.1", {"address": "10.0.0.2"}]`)
	f.Fuzz(func(t *testing.T, kind, in string) {
		s, err := Open(header(kind), strings.NewReader(in))
		if err != nil {
			return
		}
		for l := range s.Entries {
			if (l.What == "") != l.Entry.Range.IsValid() {
				t.Errorf("line %+v", l)
			}
		}
	})
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
