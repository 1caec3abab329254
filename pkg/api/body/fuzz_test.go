package body

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"
)

// FuzzParse holds that any bytes give values or mistakes, and that what is taken
// is JSON to the standard library too.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"name":"x","ips":["10.0.0.1"],"free":{"a":[1,2.5e-3,null,true,"\ud83d\ude00"]}}`,
		`{"name":"x","entries":[{"startAddress":"::1","endAddress":"::2"},"10.0.0.0/8"]}`,
		`[[[[`, `{"a":`, "\xff", `"\u12`, `-0`, ``, `{"name":"x","name":1}`, "\ufeff{}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var p payload
		err := Parse(data, Limits{Items: 100}, p.shape())
		if err == nil && (!json.Valid(data) || !utf8.Valid(data)) {
			t.Errorf("%q was taken, and is no JSON", data)
		}
		if err != nil {
			r, ok := errors.AsType[*Refusal](err)
			if !ok || len(r.Mistakes) == 0 || len(r.Mistakes) > maxMistakes+2 || !utf8.ValidString(r.Error()) {
				t.Errorf("%q: %#v", data, err)
			}
		}
		var free json.RawMessage
		if err := Parse(data, Limits{Items: 100}, Raw(&free)); err == nil && !json.Valid(free) {
			t.Errorf("%q was taken as %q", data, free)
		}
	})
}
