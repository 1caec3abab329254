package dialect_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/postern-io/postern/pkg/api/dialect"
)

func TestObject(t *testing.T) {
	for _, text := range []string{
		`{}`,
		`{"b":1,"a":[1.50,"<&>"],"c":{"z":null,"y":{}}}`,
		`{"é\n":1e400}`,
	} {
		var o dialect.Object
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(o); err != nil || b.String() != text+"\n" {
			t.Errorf("%s became %s, %v", text, &b, err)
		}
	}
	for _, text := range []string{`[]`, `1`, `"a"`, `{"a":}`, `{`} {
		var o dialect.Object
		if err := json.Unmarshal([]byte(text), &o); err == nil {
			t.Errorf("%s was taken: %v", text, o)
		}
	}
}
