package gate

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/gate/clientip"
	"github.com/postern-io/postern/pkg/policy"
)

// A handler's decision, apart from handing the request on.
func decide(h *handler, r *http.Request) Decision {
	d := Decision{Endpoint: h.endpoint, Peer: clientip.ParsePeer(r.RemoteAddr)}
	h.bind().judge(r, &d)
	return d
}

func judged(t testing.TB, s *policy.State, endpoint string, change func(*http.Request)) (*handler, *http.Request) {
	g := New(Config{})
	g.Set(compile(t, s))
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr, r.Host = "192.0.2.1:40000", "acme.example.com:443"
	change(r)
	return g.Handler(endpoint, through).(*handler), r
}

func TestJudgeAllocatesNothing(t *testing.T) {
	for _, tt := range []struct {
		endpoint, client string
		allow            bool
	}{{"acme-xff", "203.0.113.7", true}, {"acme-xff", "8.8.8.8", false}, {"all", "203.0.113.7", true}} {
		h, r := judged(t, towns(t), tt.endpoint, xff(tt.client))
		n := testing.AllocsPerRun(100, func() {
			if d := decide(h, r); d.Verdict.Allow != tt.allow {
				t.Fatalf("%+v", d)
			}
		})
		if n != 0 {
			t.Errorf("%s for %s: %v allocations, want none", tt.endpoint, tt.client, n)
		}
	}
}

func BenchmarkJudge(b *testing.B) {
	for _, entries := range []int{10, 900_000} {
		for _, bb := range []struct {
			name, endpoint string
			change         func(*http.Request)
		}{
			{"peer", "acme", func(r *http.Request) { r.RemoteAddr = "203.0.113.7:40000" }},
			{"xff", "acme-xff", xff("203.0.113.7")},
			{"xff-by-host", "all", xff("203.0.113.7")},
		} {
			b.Run(fmt.Sprintf("%s/entries=%d", bb.name, entries), func(b *testing.B) {
				s := towns(b)
				s.Tenants.Get("acme").Lists[policy.AnyResource] = scattered(b, entries)
				h, r := judged(b, s, bb.endpoint, bb.change)
				b.ReportAllocs()
				for b.Loop() {
					if d := decide(h, r); d.Verdict.Reason != policy.Listed {
						b.Fatalf("%+v", d)
					}
				}
			})
		}
	}
}

// scattered is n single addresses that do not merge, and 203.0.113.0/24.
func scattered(b *testing.B, n int) *policy.List {
	l := list(b, "203.0.113.0/24")
	for i := range uint32(n - 1) {
		v := 0x0b00_0000 + 2*i
		text := netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}).String()
		r, err := addr.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		l.Entries = append(l.Entries, policy.Entry{Text: text, Range: r})
	}
	return l
}
