package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/policy"
)

// A record has one name and one form, whether it stands among the records in
// force or in the image of a commit: lists their own, the others JSON.

const (
	filteringName = "filtering"
	tenantPrefix  = "tenants/"
	endpointName  = "endpoints/"
)

// records are the values of i by name; nil for none.
func records(i policy.Image) (map[string][]byte, error) {
	all := make(map[string][]byte, len(i.Lists)+len(i.Tenants)+len(i.Endpoints)+1)
	for at, l := range i.Lists {
		all[at.String()] = nil
		if l != nil {
			all[at.String()] = appendList(nil, l)
		}
	}
	other := map[string]any{}
	for id, r := range i.Tenants {
		other[tenantPrefix+id] = nil
		if r != nil {
			other[tenantPrefix+id] = recordOnDisk(r)
		}
	}
	for name, ep := range i.Endpoints {
		other[endpointName+name] = nil
		if ep != nil {
			other[endpointName+name] = ep
		}
	}
	if i.Filtering != nil {
		other[filteringName] = *i.Filtering
	}
	for name, value := range other {
		all[name] = nil
		if value == nil {
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", name, err)
		}
		all[name] = text
	}
	return all, nil
}

// readRecord puts the record of a name into an image; a nil value is none.
func readRecord(name string, value []byte, into *policy.Image) error {
	owner, rest, _ := strings.Cut(name, "/")
	switch {
	case name == filteringName:
		into.Filtering = new(bool)
		return getJSON(name, value, into.Filtering)
	case owner == "endpoints":
		return readEndpoint(name, rest, value, into)
	case owner == "tenants" && !strings.Contains(rest, "/"):
		return readTenantRecord(name, rest, value, into)
	}
	return readListRecord(name, value, into)
}

func readEndpoint(name, endpoint string, value []byte, into *policy.Image) error {
	if into.Endpoints == nil {
		into.Endpoints = map[string]*policy.Endpoint{}
	}
	into.Endpoints[endpoint] = nil
	if value == nil {
		return nil
	}
	ep := &policy.Endpoint{}
	into.Endpoints[endpoint] = ep
	if err := getJSON(name, value, ep); err != nil {
		return err
	}
	share(ep.Policies)
	return nil
}

func readTenantRecord(name, id string, value []byte, into *policy.Image) error {
	if into.Tenants == nil {
		into.Tenants = map[string]*policy.TenantRecord{}
	}
	into.Tenants[id] = nil
	if value == nil {
		return nil
	}
	var t tenant
	if err := getJSON(name, value, &t); err != nil {
		return err
	}
	into.Tenants[id] = t.record()
	return nil
}

func readListRecord(name string, value []byte, into *policy.Image) error {
	at, err := policy.ParsePlace(name)
	if err != nil {
		return err
	}
	if into.Lists == nil {
		into.Lists = map[policy.Place]*policy.List{}
	}
	into.Lists[at] = nil
	if value == nil {
		return nil
	}
	l, err := readList(string(value))
	if err != nil {
		return fmt.Errorf("list %s: %w", name, err)
	}
	into.Lists[at] = l
	return nil
}

// share gives the entries of a list that was read as JSON one stamp where theirs
// are equal.
func share(l *policy.List) {
	if l == nil {
		return
	}
	known := map[string]*policy.Stamp{}
	for i := range l.Entries {
		e := &l.Entries[i]
		if e.By == nil {
			continue
		}
		text := string(appendStamp(nil, e.By))
		if known[text] == nil {
			known[text] = e.By
		}
		e.By = known[text]
	}
}

// An image on disk is its records one after another: name, whether there is a
// value, value.

func appendImage(b []byte, values map[string][]byte) []byte {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		b = appendText(b, name)
		b = append(b, bit(1, value != nil))
		b = appendText(b, string(value))
	}
	return b
}

// readImage reads the records of these names; of all where names is nil.
func readImage(text string, names func(string) bool, into *policy.Image) error {
	r := reader{rest: text}
	for r.rest != "" {
		name, has, value := r.text(), r.byte() == 1, []byte(r.text())
		if r.err != nil {
			return r.err
		}
		if names != nil && !names(name) {
			continue
		}
		if !has {
			value = nil
		}
		if err := readRecord(name, value, into); err != nil {
			return err
		}
	}
	return r.err
}

func numberKey(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

func keyNumber(k []byte) uint64 {
	if len(k) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(k)
}
