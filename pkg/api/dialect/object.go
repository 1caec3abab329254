package dialect

import (
	"bytes"
	"encoding/json"
)

// Object is a JSON object whose members come in an order.
type Object []Member

// Member is one of an Object's.
type Member struct {
	Name  string
	Value any
}

// MarshalJSON writes the members as they stand.
func (o Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	before := byte('{')
	for _, m := range o {
		b.WriteByte(before)
		if err := e.Encode(m.Name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := e.Encode(m.Value); err != nil {
			return nil, err
		}
		before = ','
	}
	if len(o) == 0 {
		b.WriteByte(before)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads the members, each value as it is written.
func (o *Object) UnmarshalJSON(text []byte) error {
	var kind map[string]json.RawMessage
	if err := json.Unmarshal(text, &kind); err != nil {
		return err // it is no object
	}
	d := json.NewDecoder(bytes.NewReader(text))
	_, err := d.Token()
	for *o = nil; err == nil && d.More(); {
		var name json.Token
		if name, err = d.Token(); err != nil {
			break
		}
		var value json.RawMessage
		err = d.Decode(&value)
		*o = append(*o, Member{name.(string), value})
	}
	return err
}
