package main

import (
	"slices"

	"github.com/postern-io/postern/pkg/testenv"
)

// sample is what several rounds of one measurement came to.
type sample struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`  // lower quartile
	High   float64 `json:"high"` // upper quartile
	Rounds int     `json:"rounds"`
}

func newSample(values []float64) sample {
	if len(values) == 0 {
		return sample{}
	}
	v := slices.Sorted(slices.Values(values))
	return sample{quantile(v, 0.5), quantile(v, 0.25), quantile(v, 0.75), len(v)}
}

// quantile is the value in sorted v below which a share q lies.
func quantile(v []float64, q float64) float64 {
	return v[min(int(q*float64(len(v))), len(v)-1)]
}

// once is a sample of one.
func once(v float64) sample { return sample{v, v, v, 1} }

// inverse is f over a sample.
func (s sample) inverse(f float64) sample {
	s.Median, s.Low, s.High = f/s.Median, f/s.High, f/s.Low
	return s
}

// interleaved measures several things in turns, so that what disturbs one of
// them disturbs all, and returns the values of each by round.
func interleaved(s *testenv.Stage, rounds, things int, measure func(thing int) float64) [][]float64 {
	values := make([][]float64, things)
	for range rounds {
		for i := range things {
			s.Check(nil)
			values[i] = append(values[i], measure(i))
		}
	}
	return values
}

// against is, round by round, f of a and b.
func against(a, b []float64, f func(a, b float64) float64) sample {
	values := make([]float64, len(a))
	for i := range a {
		values[i] = f(a[i], b[i])
	}
	return newSample(values)
}

func difference(a, b float64) float64 { return a - b }

func ratio(a, b float64) float64 { return a / b }
