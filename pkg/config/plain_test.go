package config

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/addr"
)

var plainFiles = []struct {
	name, text string
	plain      bool
}{
	{name: "one", plain: true, text: "tenant: acme\nlists:\n  \"*\":\n    - 192.0.2.0/24\n"},
	{name: "two-lists", plain: true, text: "tenant: 7.a-b\nlists:\n  \"*\":\n    - 2001:db8::/32\n    - ffff::1\n  webUI:\n    - 192.0.2.1-192.0.2.9"},
	{name: "word-for-a-number", plain: true, text: "tenant: 0x10\nlists:\n  1e3:\n    - 192.0.2.1\n"},
	{name: "null", text: "tenant: Null\nlists:\n  \"*\":\n    - 192.0.2.1\n"},
	{name: "no-entries", text: "tenant: acme\nlists:\n  \"*\":\n"},
	{name: "none", text: "tenant: acme\nlists:\n"},
	{name: "list-twice", text: "tenant: acme\nlists:\n  \"*\":\n    - 192.0.2.1\n  \"*\":\n    - 192.0.2.2\n"},
	{name: "colon-last", text: "tenant: acme\nlists:\n  \"*\":\n    - 2001:db8::\n"},
	{name: "colon-first", text: "tenant: acme\nlists:\n  \"*\":\n    - ::1\n"},
	{name: "mistake", text: "tenant: acme\nlists:\n  \"*\":\n    - 192.0.2.300\n"},
	{name: "comment", text: "tenant: acme\nlists:\n  \"*\":\n    - 192.0.2.1 # Paris\n"},
	{name: "carriage-return", text: "tenant: acme\r\nlists:\r\n  \"*\":\r\n    - 192.0.2.1\r\n"},
	{name: "other-indent", text: "tenant: acme\nlists:\n  \"*\":\n  - 192.0.2.1\n"},
	{name: "more-keys", text: "tenant: acme\nlists:\n  \"*\":\n    - 192.0.2.1\nhosts: []\n"},
	{name: "second-document", text: "tenant: acme\nlists:\n  \"*\":\n    - 192.0.2.1\n---\n"},
}

func TestPlain(t *testing.T) {
	for _, tt := range plainFiles {
		t.Run(tt.name, func(t *testing.T) {
			if _, ok := (&reader{file: "f"}).plain([]byte(tt.text)); ok != tt.plain {
				t.Errorf("plain = %t, want %t", ok, tt.plain)
			}
		})
	}
}

// FuzzPlain holds what is read without YAML to what is read with it.
func FuzzPlain(f *testing.F) {
	for _, tt := range plainFiles {
		f.Add([]byte(tt.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, ok := (&reader{file: "f"}).plain(data)
		if !ok {
			return // left to YAML
		}
		r := &reader{file: "f"}
		root := r.parse(data)
		if root == nil {
			t.Fatalf("YAML finds %v", r.found)
		}
		want := r.listFile(root)
		if err := r.sorted().Err(); err != nil {
			t.Fatalf("YAML finds %v", err)
		}
		same := cmp.Options{
			cmp.AllowUnexported(listFile{}),
			cmp.Comparer(func(a, b addr.Range) bool { return a == b }),
			cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		}
		if diff := cmp.Diff(want, got, same); diff != "" {
			t.Errorf("(-YAML +plain):\n%s", diff)
		}
	})
}
