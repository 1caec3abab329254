package gate

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/testenv"
)

// The gate is held to the request rows of testdata/decisions, as the law and the
// kernel are to theirs.
func TestDecisions(t *testing.T) {
	judged := 0
	for _, s := range testenv.Decisions(t) {
		t.Run(s.Name, func(t *testing.T) {
			gates := map[time.Time]*Gate{}
			for _, row := range s.Requests {
				judged++
				if gates[row.At] == nil {
					table, err := policy.Compile(s.State, s.Host, row.At)
					if err != nil {
						t.Fatal(err)
					}
					gates[row.At] = New(Config{})
					gates[row.At].Set(table)
				}
				if got := outcome(t, gates[row.At], row); got != row.Want {
					t.Errorf("%s\n\tgot %s", row.Text, got)
				}
			}
		})
	}
	if judged == 0 {
		t.Error("no request row in any archive")
	}
}

// outcome asks what a row asks and writes the answer as rows do.
func outcome(t *testing.T, g *Gate, row testenv.RequestRow) string {
	t.Helper()
	remote := netip.AddrPortFrom(row.Peer, 40000).String()
	resp := ask(g, row.Endpoint, remote, func(r *http.Request) {
		r.Host = row.Host
		if row.XFF != nil {
			r.Header["X-Forwarded-For"] = row.XFF
		}
	})
	words := []string{strconv.Itoa(resp.StatusCode)}
	if refusal, ok := strings.CutPrefix(body(t, resp), text); ok {
		address, org, _ := strings.Cut(refusal, ", orgId: ")
		words = append(words, address, org)
	}
	return strings.Join(words, " ")
}
