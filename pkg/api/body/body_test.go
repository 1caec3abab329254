package body

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/policy"
)

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// payload has one of everything a dialect may want.
type payload struct {
	IPs     []policy.Entry
	Ranges  []policy.Entry
	Entries []policy.Entry
	Web     []policy.Entry
	WebSaid Said
	Name    string
	Port    int
	Public  bool
	Action  policy.Action
	Until   time.Time
	Free    json.RawMessage
	Lists   map[string][]policy.Entry
}

func (p *payload) shape() Shape {
	p.Lists = map[string][]policy.Entry{}
	return Object(Fields{
		"ips":     Each(&p.IPs, Address),
		"ranges":  Each(&p.Ranges, Pair),
		"entries": Each(&p.Entries, Entry),
		"webUI":   Noted(&p.WebSaid, Each(&p.Web, Pair)),
		"name":    Check(Text(&p.Name), p.checkName),
		"port":    Int(&p.Port, 1, 65535),
		"public":  Flag(&p.Public),
		"action":  Choose(&p.Action, map[string]policy.Action{"ALLOW": policy.Allow, "DENY": policy.Deny}),
		"until":   Time(&p.Until),
		"free":    Raw(&p.Free),
		"lists": Pairs(func(name string) Shape {
			return func(f *findings, v *value) {
				var l []policy.Entry
				Each(&l, Address)(f, v)
				p.Lists[name] = l
			}
		}),
	}, "name")
}

func (p *payload) checkName() error {
	switch p.Name {
	case "":
		return errors.New("a name is never empty")
	case "Bob":
		return &Mistake{What: "the name is taken", Remedy: "write bob"}
	}
	return nil
}

func TestParse(t *testing.T) {
	tests := []struct{ name, in, err string }{
		{name: "least", in: `{"name":"x"}`},
		{name: "missing", in: `{}`, err: `$.name: missing`},
		{name: "not-an-object", in: `["name"]`, err: `$: a list where an object should be`},
		{name: "null", in: `null`, err: `$: null where an object should be`},
		{name: "empty", in: " \n", err: `$: the body is empty; send a JSON value`},
		{name: "byte-order-mark", in: "\ufeff" + `{"name":"x"}`, err: `$: begins with a byte order mark; send UTF-8 without one`},
		{name: "unknown", in: `{"name":"x","nam":1,"zzzzzzzzzz":2}`, err: "$.nam: no such key; did you mean name?\n$.zzzzzzzzzz: no such key"},
		{name: "twice", in: `{"name":"x","name":{"deep":[]}}`, err: `$.name: this key stands here already; keep one of them`},
		{name: "twice-by-escape", in: `{"name":"x","\u006eame":"y"}`, err: `$.name: this key stands here already; keep one of them`},
		{name: "trailing", in: `{"name":"x"} {}`, err: `$: line 1, column 14: more follows the first value; send one`},
		{name: "strange-key", in: `{"name":"x","a b":1}`, err: `$["a b"]: no such key`},
		{name: "long-key", in: `{"name":"x","` + strings.Repeat("k", 1000) + `":1}`, err: `$["` + strings.Repeat("k", 80) + `..."]: no such key`},
		{name: "kinds", in: `{"name":1,"port":"1","public":"true","action":null,"ips":"10.0.0.1","until":{}}`, err: "$.name: a number where text should be\n" +
			"$.port: text where a number should be\n$.public: text where true or false should be\n$.action: null where text should be\n" +
			"$.ips: text where a list should be\n$.until: an object where text should be"},
		{name: "addresses", in: `{"name":"x","ips":["10.0.0.1",7,"10.0.0.256","010.0.0.8"],"ranges":[{"startAddress":"10.0.0.9","endAddress":"10.0.0.1"},{"endAddress":"10.0.0.1"}]}`, err: "$.ips[1]: a number where text should be\n" +
			"$.ips[2]: address 10.0.0.256: 256 is more than 255\n" +
			"$.ips[3]: address 010.0.0.8: a leading zero may mean 10.0.0.8 or, read as octal, 8.0.0.8\n" +
			"$.ranges[0]: range 10.0.0.9-10.0.0.1: ends before it starts\n$.ranges[1].startAddress: missing"},
		{name: "entries", in: `{"name":"x","entries":[{},{"address":"10.0.0.1","startAddress":"10.0.0.1"},{"endAddress":"10.0.0.1"},{"address":"10.0.0.0/08","expires":"soon","action":"Deny"}]}`, err: "$.entries[0]: an entry names no address, or two; write address, or startAddress and endAddress\n" +
			"$.entries[1]: an entry names no address, or two; write address, or startAddress and endAddress\n" +
			"$.entries[2]: an entry names no address, or two; write address, or startAddress and endAddress\n" +
			"$.entries[3].address: prefix 10.0.0.0/08: leading zero in the prefix length; write 10.0.0.0/8\n" +
			`$.entries[3].expires: "soon" is not an RFC 3339 time with its zone; write it like 2027-01-31T00:00:00Z` + "\n" +
			`$.entries[3].action: "Deny" is not allow or deny; did you mean deny?`},
		{name: "comments", in: `{"name":"x","entries":[{"address":"10.0.0.1","comment":"\u001b[2J"},{"address":"10.0.0.1","comment":"` + strings.Repeat("x", 1025) + `"}]}`, err: "$.entries[0].comment: has bytes that are no text; use printable text\n" +
			"$.entries[1].comment: has 1025 characters; use at most 1024"},
		{name: "numbers", in: `{"name":"x","port":65536}`, err: `$.port: 65536 is not a whole number from 1 to 65535`},
		{name: "fraction", in: `{"name":"x","port":1.5e3}`, err: `$.port: 1.5e3 is not a whole number from 1 to 65535`},
		{name: "huge-number", in: `{"name":"x","port":` + strings.Repeat("9", 100) + `}`, err: `$.port: ` + strings.Repeat("9", 40) + `... is not a whole number from 1 to 65535`},
		{name: "leading-zero", in: `{"name":"x","port":080}`, err: `$.port: a number begins with 0`},
		{name: "check", in: `{"name":""}`, err: `$.name: a name is never empty`},
		{name: "check-remedy", in: `{"name":"Bob"}`, err: `$.name: the name is taken; write bob`},
		{name: "invalid-utf8", in: "{\"name\":\"a\xff\xfe\"}", err: `$.name: not UTF-8`},
		{name: "half-pair", in: `{"name":"\ud83d!"}`, err: `$.name: half of a surrogate pair; write the character itself`},
		{name: "bad-escape", in: `{"name":"\x"}`, err: `$.name: line 1, column 11: 'x' stands where an escaped character should be`},
		{name: "bad-hex", in: `{"name":"\u00g0"}`, err: `$.name: line 1, column 12: '0' stands where four hexadecimal digits should be`},
		{name: "control", in: "{\"name\":\"a\nb\"}", err: `$.name: line 1, column 11: '\n' stands where an escape should be`},
		{name: "open-text", in: `{"name":"x`, err: `$.name: line 1, column 11: the body ends where a closing quote should be`},
		{name: "open-object", in: `{"name":"x"`, err: `$: line 1, column 12: the body ends where a comma or } should be`},
		{name: "trailing-comma", in: "{\n \"ips\":[\"10.0.0.1\",]}", err: `$.ips[1]: line 2, column 20: ']' stands where a value should be`},
		{name: "bare-key", in: `{name:1}`, err: `$: line 1, column 2: 'n' stands where a key in quotes should be`},
		{name: "no-colon", in: `{"name" 1}`, err: `$: line 1, column 9: '1' stands where a colon should be`},
		{name: "comment", in: `// x`, err: `$: line 1, column 1: '/' stands where a value should be`},
		{name: "not-a-number", in: `{"port":-}`, err: `$.port: line 1, column 10: '}' stands where a digit should be`},
		{name: "nul", in: "\x00", err: `$: line 1, column 1: '\x00' stands where a value should be`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p payload
			err := Parse([]byte(tt.in), Limits{}, p.shape())
			if msg := message(err); msg != tt.err {
				t.Errorf("error = %s\nwant %s", msg, tt.err)
			}
			if r, ok := errors.AsType[*Refusal](err); ok && r.Status != 400 {
				t.Errorf("status %d, want 400", r.Status)
			}
		})
	}
}

func TestValues(t *testing.T) {
	const in = `{
	"name": "caf\u00e9 \ud83d\ude00 \"\/\\\b\f\n\r\t é",
	"port": 443, "public": true, "action": "DENY", "until": "2027-01-31T00:00:00Z",
	"free": {"b": 1.50, "a": [null]},
	"ips": ["192.168.1.1", "2001:db8::/48", "192.176.1.1/24", "1.1.1.0-1.1.2.250"],
	"ranges": [{"startAddress": "10.20.30.0", "endAddress": "10.20.30.10"}, {"startAddress": "10.20.30.2", "endAddress": null}],
	"entries": ["10.0.0.1", {"address": "10.0.0.2", "action": "deny", "comment": "x", "enabled": false, "expires": "2027-01-31T00:00:00Z"},
		{"startAddress": "::1", "endAddress": "::2", "address": null}],
	"lists": {"*": ["10.0.0.0/8"], "webUI": []}
}`
	var p payload
	if err := Parse([]byte(in), Limits{}, p.shape()); err != nil {
		t.Fatal(err)
	}
	if want := "café 😀 \"/\\\b\f\n\r\t é"; p.Name != want {
		t.Errorf("name = %q, want %q", p.Name, want)
	}
	until := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	if p.Port != 443 || !p.Public || p.Action != policy.Deny || !p.Until.Equal(until) || string(p.Free) != `{"b": 1.50, "a": [null]}` {
		t.Errorf("read %+v", p)
	}
	for _, tt := range []struct {
		name string
		got  []policy.Entry
		want []string
	}{
		{"ips", p.IPs, []string{"192.168.1.1", "2001:db8::/48", "192.176.1.1/24", "1.1.1.0-1.1.2.250"}},
		{"ranges", p.Ranges, []string{"10.20.30.0-10.20.30.10", "10.20.30.2"}},
		{"entries", p.Entries, []string{"10.0.0.1", "10.0.0.2", "::1-::2"}},
		{"lists", p.Lists["*"], []string{"10.0.0.0/8"}},
	} {
		var texts []string
		for _, e := range tt.got {
			texts = append(texts, e.Text)
			if !e.Range.IsValid() {
				t.Errorf("%s: %s has no range", tt.name, e.Text)
			}
		}
		if diff := cmp.Diff(tt.want, texts); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	e := p.Entries[1]
	if e.Action != policy.Deny || !e.Disabled || e.Comment != "x" || !e.Expires.Equal(until) || p.Entries[2].Disabled {
		t.Errorf("entries are %+v", p.Entries)
	}
}

// Left out, null and [] are three things to say.
func TestNoted(t *testing.T) {
	for in, want := range map[string]struct {
		said Said
		web  []policy.Entry
	}{
		`{"name":"x"}`:              {Absent, nil},
		`{"name":"x","webUI":null}`: {Null, nil},
		`{"name":"x","webUI":[]}`:   {Given, []policy.Entry{}},
	} {
		var p payload
		if err := Parse([]byte(in), Limits{}, p.shape()); err != nil {
			t.Fatal(err)
		}
		if p.WebSaid != want.said || (p.Web == nil) != (want.web == nil) {
			t.Errorf("%s: said %d, %v", in, p.WebSaid, p.Web)
		}
	}
}

// What is kept of a body does not keep the body.
func TestTextIsACopy(t *testing.T) {
	data := []byte(`{"name":"x","ips":["10.0.0.1"],"free":[1]}`)
	var p payload
	if err := Parse(data, Limits{}, p.shape()); err != nil {
		t.Fatal(err)
	}
	clear(data)
	if p.Name != "x" || p.IPs[0].Text != "10.0.0.1" || string(p.Free) != "[1]" {
		t.Errorf("read %+v", p)
	}
}

func TestTooManyMistakes(t *testing.T) {
	in := `{"name":"x","ips":[` + strings.Repeat(`"x",`, 4999) + `"x"]}`
	var p payload
	r, ok := errors.AsType[*Refusal](Parse([]byte(in), Limits{}, p.shape()))
	if !ok || len(r.Mistakes) != maxMistakes+1 {
		t.Fatalf("%d mistakes", len(r.Mistakes))
	}
	if last := r.Mistakes[maxMistakes]; last.What != "4000 mistakes more" {
		t.Errorf("the last is %+v", last)
	}
}
