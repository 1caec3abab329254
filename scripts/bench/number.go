package main

import (
	"fmt"
	"math"
)

// text is s with half of what its middle half spreads over.
func (s sample) text(unit string) string {
	if spread := (s.High - s.Low) / 2; s.Rounds > 1 {
		return fmt.Sprintf("%s ±%s", number(s.Median), amount(spread, unit))
	}
	return amount(s.Median, unit)
}

func amount(v float64, unit string) string {
	if unit == "" {
		return number(v)
	}
	return number(v) + " " + unit
}

// number is v with three digits that count.
func number(v float64) string {
	switch {
	case math.Abs(v) >= 1000:
		return thousands(int(math.Round(v)))
	case math.Abs(v) >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case math.Abs(v) >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// thousands is n with commas.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
