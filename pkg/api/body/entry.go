package body

import (
	"strings"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

// Address is an entry as text: an address, a prefix or a range.
func Address(into *policy.Entry) Shape {
	return func(f *findings, v *value) {
		if !f.is(v, text) {
			return
		}
		rg, err := addr.Parse(v.text)
		if err != nil {
			f.mistake(err)
			return
		}
		into.Text, into.Range = strings.Clone(v.text), rg
	}
}

// Pair is an entry as {startAddress, endAddress}; without an end, or with null or
// "" for it, it is the one address.
func Pair(into *policy.Entry) Shape {
	var start, end string
	var said Said
	return Check(Object(Fields{
		"startAddress": Text(&start),
		"endAddress":   Noted(&said, Text(&end)),
	}, "startAddress"), func() error { return pair(into, start, end) })
}

func pair(into *policy.Entry, start, end string) error {
	rg, err := addr.ParsePair(start, end)
	if err != nil {
		return err
	}
	into.Text, into.Range = start, rg
	if end != "" {
		into.Text += "-" + end
	}
	return nil
}

// Entry is an entry in our own form: its address as text or as a pair, alone or
// with more about it.
func Entry(into *policy.Entry) Shape {
	return func(f *findings, v *value) {
		if v.kind == text {
			Address(into)(f, v)
			return
		}
		entryObject(into)(f, v)
	}
}

func entryObject(into *policy.Entry) Shape {
	enabled := true
	var address policy.Entry
	var whole, first, last, over Said
	var start, end string
	return Check(Object(Fields{
		"address":      Noted(&whole, Address(&address)),
		"startAddress": Noted(&first, Text(&start)),
		"endAddress":   Noted(&last, Text(&end)),
		"action":       Choose(&into.Action, Words(policy.Allow, policy.Deny)),
		"comment":      Line(&into.Comment, policy.MaxComment),
		"enabled":      Flag(&enabled),
		"expires":      Noted(&over, Time(&into.Expires)),
	}), func() error {
		into.Disabled = !enabled
		if (whole == Given) == (first == Given) || first != Given && last == Given {
			return &Mistake{What: "an entry names no address, or two", Remedy: "write address, or startAddress and endAddress"}
		}
		if whole == Given {
			into.Text, into.Range = address.Text, address.Range
			return nil
		}
		return pair(into, start, end)
	})
}
