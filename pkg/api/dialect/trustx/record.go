package trustx

import (
	"bytes"
	"encoding/json"
)

// with is a JSON object with another member at its end, in the place of one of
// that name. The other members keep their order and their text.
func with(object json.RawMessage, name string, value any) json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	each(object, func(key string, member json.RawMessage) {
		if key != name {
			add(&b, key, member)
		}
	})
	add(&b, name, value)
	b.WriteByte('}')
	return b.Bytes()
}

func add(b *bytes.Buffer, name string, value any) {
	if b.Len() > 1 {
		b.WriteByte(',')
	}
	write(b, name)
	b.WriteByte(':')
	write(b, value)
}

// write is value without the newline that an Encoder ends with.
func write(b *bytes.Buffer, value any) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // texts, and JSON that was read before
	b.Truncate(b.Len() - 1)
}

// each reads the members of an object; nothing is one without any.
func each(object json.RawMessage, member func(key string, value json.RawMessage)) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return
		}
		name, _ := key.(string)
		member(name, value)
	}
}
