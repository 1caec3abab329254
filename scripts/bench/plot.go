package main

import (
	"math"
	"slices"
	"strings"
)

// plot is a picture of one section: rows along a logarithmic axis, a curve for
// each series.
type plot struct {
	file, section string
	title         string
	x, y          string
	log           bool // the y axis too
	omit          string
}

var plots = []plot{
	{"list.svg", "list", "Program time by size of the list, over a bare drop", "ranges in the list", "ns", true, "bare"},
	{"destinations.svg", "destinations", "Program time by endpoints, over a bare drop", "endpoints, each with a tenant and a list", "ns", true, "bare"},
	{"peers.svg", "live", "Frames from strangers dropped, one CPU", "prefixes in the list", "million frames a second", false, "-"},
}

// curve is one series of a plot.
type curve struct {
	name   string
	points [][2]float64
}

func (p plot) curves(j *journal) []curve {
	var curves []curve
	for _, pt := range j.of(p.section) {
		if strings.HasPrefix(pt.Series, p.omit) || pt.Median <= 0 && p.log {
			continue
		}
		i := slices.IndexFunc(curves, func(c curve) bool { return c.name == pt.Series })
		if i < 0 {
			i = len(curves)
			curves = append(curves, curve{name: pt.Series})
		}
		curves[i].points = append(curves[i].points, [2]float64{pt.At, pt.Median})
	}
	return curves
}

// axis maps values to a stretch of the picture.
type axis struct {
	least, most float64
	from, to    float64
	log         bool
}

func (a axis) at(v float64) float64 {
	low, high := a.least, a.most
	if a.log {
		v, low, high = math.Log10(v), math.Log10(low), math.Log10(high)
	}
	return a.from + (v-low)/(high-low)*(a.to-a.from)
}

// ticks are round values: powers of ten on a logarithmic axis, with 2 and 5
// between them where there are few; else about five even steps.
func (a axis) ticks() []float64 {
	var ticks []float64
	if !a.log {
		step := math.Pow(10, math.Floor(math.Log10(a.most/2)))
		for a.most/step > 6 {
			step *= 2
		}
		for v := 0.0; v <= a.most; v += step {
			ticks = append(ticks, v)
		}
		return ticks
	}
	between := []float64{1}
	if a.most/a.least < 1e3 {
		between = []float64{1, 2, 5}
	}
	for decade := math.Pow(10, math.Floor(math.Log10(a.least))); decade <= a.most; decade *= 10 {
		for _, f := range between {
			if v := f * decade; v >= a.least && v <= a.most {
				ticks = append(ticks, v)
			}
		}
	}
	return ticks
}

// around is the least and the most of the curves, with some air.
func around(curves []curve, coordinate int, log bool) (least, most float64) {
	least, most = math.Inf(1), math.Inf(-1)
	for _, c := range curves {
		for _, p := range c.points {
			least, most = min(least, p[coordinate]), max(most, p[coordinate])
		}
	}
	if !log {
		return 0, most * 1.08
	}
	return least / 1.15, most * 1.15
}
