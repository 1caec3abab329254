package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/testenv"
)

// on runs f on a stage that is cleared with the test.
func on(t *testing.T, f func(s *testenv.Stage)) {
	t.Helper()
	if err := testenv.Play(context.WithoutCancel(t.Context()), f); err != nil {
		t.Fatal(err)
	}
}

// Whatever is stamped onto a frame is what a frame made for that flow has there.
func TestDriverStampsHeaders(t *testing.T) {
	testenv.Root(t)
	four, six := endpoint("four", web4), endpoint("six", web6)
	tests := []struct {
		name  string
		flows []flow
	}{
		{"v4", []flow{{friend4, four}, {alien4, four}, {netip.MustParseAddr("255.255.255.255"), four}}},
		{"v6", []flow{{friend6, six}, {alien6, six}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			on(t, func(s *testenv.Stage) {
				st := newStream(s, datagram(tt.flows[0]))
				st.fill(tt.flows)
				d := newDriver(s, st, newVerdict(s, xdpDrop), newSweep(s, 1<<20))
				for i := range 2 * len(tt.flows) {
					got := make([]byte, len(d.frame))
					verdict, err := d.prog.Run(&ebpf.RunOptions{Data: d.frame, DataOut: got})
					s.Check(err)
					want := datagram(tt.flows[i%len(tt.flows)])
					if tt.name == "v6" {
						copy(got[len(got)-2:], want[len(want)-2:]) // of UDP's checksum nothing is stamped
					}
					if diff := cmp.Diff(want, got); diff != "" || verdict != xdpDrop {
						t.Errorf("packet %d got verdict %d, -want +got:\n%s", i, verdict, diff)
					}
				}
				if n := d.stamped(); n != uint64(2*len(tt.flows)) {
					t.Errorf("stamped %d, want %d", n, 2*len(tt.flows))
				}
			})
		})
	}
}

// What is scattered must not merge, or a list of 900,000 ranges is none.
func TestScatteredPrefixesDoNotMerge(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for name, prefixes := range map[string][]netip.Prefix{
		"v4": scattered(rng, most), "v4-few": scattered(rng, 3), "v6": scattered6(rng, 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(s *testenv.Stage) {
				if got := len(setOf(s, prefixes).Ranges()); got != len(prefixes) {
					t.Errorf("%d prefixes make %d ranges", len(prefixes), got)
				}
			})
		})
	}
}

func TestFlowsAreListedOrNot(t *testing.T) {
	on(t, func(s *testenv.Stage) {
		b := &bench{Stage: s}
		rng := rand.New(rand.NewPCG(1, 1))
		for _, prefixes := range [][]netip.Prefix{scattered(rng, 100), scattered6(rng, 100)} {
			sub := b.oneList(rng, "list", "100", 100, prefixes)
			set := setOf(s, prefixes)
			for i := range sub.listed {
				if a := sub.listed[i].src; !set.Contains(a) {
					t.Fatalf("%v is not listed", a)
				}
				if a := sub.unlisted[i].src; set.Contains(a) {
					t.Fatalf("%v is listed", a)
				}
			}
		}
	})
}

// The synthetic tenants are as many, with as many prefixes, as the real ones:
// 91,065 and 732,483, half of them with at most two.
func TestSizedTenants(t *testing.T) {
	ts := sizedTenants(rand.New(rand.NewPCG(2, 2)))
	var lengths []float64
	for _, tenant := range ts {
		lengths = append(lengths, float64(len(tenant.allow)))
	}
	slices.Sort(lengths)
	got := []int{len(ts), len(allowed(ts)) / 10_000, int(quantile(lengths, 0.5)), int(quantile(lengths, 0.99)), int(lengths[len(lengths)-1])}
	if want := []int{91_065, 73, 2, 87, 9132}; !slices.Equal(got, want) {
		t.Errorf("tenants, prefixes in ten thousands, median, p99, longest: %v, want %v", got, want)
	}
}

func TestGoals(t *testing.T) {
	ceiling := goal{work: "w", want: 100, unit: "ns", refs: []ref{{"s", "r", "a"}, {"s", "r", "b"}}, bare: ref{"s", "r", "bare"}, why: "because"}
	floor := goal{work: "w", want: 2, floor: true, refs: one("s", "r", "a"), why: "because"}
	none := goal{work: "w", want: 0, refs: one("s", "r", "a"), why: "because"}
	tests := []struct {
		name string
		goal goal
		a, b float64
		want result
	}{
		{"held", ceiling, 90, 100, result{"w", "<= 100 ns", "100 ns, bare 20 ns", held, 0, ""}},
		{"missed", ceiling, 125, 90, result{"w", "<= 100 ns", "125 ns, bare 20 ns", missed, 0.25, "because"}},
		{"floor-held", floor, 2, 0, result{"w", ">= 2", "2", held, 0, ""}},
		{"floor-missed", floor, 1.5, 0, result{"w", ">= 2", "1.50", missed, 0.25, "because"}},
		{"nothing-wrong", none, 0, 0, result{"w", "<= 0", "0", held, 0, ""}},
		{"something-wrong", none, 3, 0, result{"w", "<= 0", "3", missed, 0, "because"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var j journal
			j.add("s", "r", 0, "a", once(tt.a))
			j.add("s", "r", 0, "b", once(tt.b))
			j.add("s", "r", 0, "bare", once(20))
			if diff := cmp.Diff(tt.want, tt.goal.judge(&j)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	t.Run("not-measured", func(t *testing.T) {
		if got := ceiling.judge(&journal{}).Verdict; got != notMeasured {
			t.Errorf("verdict %q, want %q", got, notMeasured)
		}
	})
}

// Every goal looks for points of a section that is printed, so none is held to
// what nobody measures.
func TestGoalsNameSections(t *testing.T) {
	for _, g := range goals {
		for _, r := range g.refs {
			if !slices.ContainsFunc(sections, func(s section) bool { return s.key == r.section }) {
				t.Errorf("%s: there is no section %s", g.work, r.section)
			}
		}
	}
}

func TestPlotsAreXML(t *testing.T) {
	var full journal
	for i, series := range []string{"bare XDP_DROP", "index, listed", "index, not listed"} {
		for _, at := range []float64{1, 1000, 900_000} {
			full.add("list", "<r>", at, series, once(at/float64(i+1)))
			full.add("live", "r", at, series, once(3))
		}
	}
	for _, p := range plots {
		for _, j := range []*journal{{}, &full} {
			d := xml.NewDecoder(bytes.NewReader(p.draw(j)))
			for {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%s: %v", p.file, err)
				}
			}
		}
	}
}

func TestTicks(t *testing.T) {
	tests := []struct {
		name string
		axis axis
		want []float64
	}{
		{"decades", axis{least: 0.9, most: 1.2e6, log: true}, []float64{1, 10, 100, 1000, 10_000, 100_000, 1_000_000}},
		{"few", axis{least: 40, most: 300, log: true}, []float64{50, 100, 200}},
		{"even", axis{least: 0, most: 6.5}, []float64{0, 2, 4, 6}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.axis.ticks(); !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 3: "3", 0.914: "0.91", 46.25: "46.2", 123.4: "123", 1234.6: "1,235", 900_000: "900,000", 1_002_003: "1,002,003"} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %q, want %q", v, got, want)
		}
	}
}

func TestIntoReadme(t *testing.T) {
	j := &journal{Goals: []result{{Work: "w", Goal: "<= 2 ns", Measured: "3 ns", Verdict: missed, Off: 0.5, Why: "because"}}}
	readme := filepath.Join(t.TempDir(), "README.md")
	for _, text := range []string{"before\n" + openMark + "old\n" + closeMark + "after\n", "no marks\n"} {
		if err := os.WriteFile(readme, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		err := j.intoReadme(readme, "plots")
		got, _ := os.ReadFile(readme)
		if text == "no marks\n" {
			want := "put the results into " + readme + ": it has no lines <!-- bench --> and <!-- /bench -->"
			if err == nil || err.Error() != want || string(got) != text {
				t.Errorf("%v, want %s; left %q", err, want, got)
			}
			continue
		}
		want := "before\n" + openMark + j.markdown("plots") + closeMark + "after\n"
		if err != nil || string(got) != want {
			t.Errorf("%v; wrote %q, want %q", err, got, want)
		}
	}
	for _, want := range []string{"| w | <= 2 ns | 3 ns | missed by 50 % |\n", "(plots/list.svg)", "- Missed, w: because.\n"} {
		if got := j.markdown("plots"); !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
