package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
)

// journal is everything a run measured, in order.
type journal struct {
	Machine machine  `json:"machine"`
	Quick   bool     `json:"quick"`
	Peers   []string `json:"peers"` // and their versions
	Loads   []source `json:"loads"`
	Notes   []string `json:"notes"` // what was not measured, and why
	Points  []point  `json:"points"`
	Goals   []result `json:"goals"`
}

// point is one thing measured: what of, where on the section's axis, and how
// much.
type point struct {
	Section string  `json:"section"`
	Row     string  `json:"row"`
	At      float64 `json:"at,omitempty"` // the row on an axis of numbers
	Series  string  `json:"series"`
	sample
}

func (j *journal) add(section, row string, at float64, series string, s sample) {
	j.Points = append(j.Points, point{section, row, at, series, s})
}

// find is what was measured; ok says whether it was.
func (j *journal) find(section, row, series string) (s sample, ok bool) {
	for _, p := range j.Points {
		if p.Section == section && p.Row == row && p.Series == series {
			return p.sample, true
		}
	}
	return sample{}, false
}

// of are the points of a section.
func (j *journal) of(section string) []point {
	var points []point
	for _, p := range j.Points {
		if p.Section == section {
			points = append(points, p)
		}
	}
	return points
}

// distinct are what key makes of points, each once, in order.
func distinct(points []point, key func(point) string) []string {
	var keys []string
	for _, p := range points {
		if k := key(p); !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

func row(p point) string { return p.Row }

func series(p point) string { return p.Series }

func (j *journal) note(text string) {
	if !slices.Contains(j.Notes, text) {
		j.Notes = append(j.Notes, text)
	}
}

// judge holds what was measured to the goals.
func (j *journal) judge() {
	for _, g := range goals {
		j.Goals = append(j.Goals, g.judge(j))
	}
}

// publish writes the results and the plots, and the README where that is asked
// for.
func (j *journal) publish(dir string, readme bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "bench.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	for _, p := range plots {
		if err := os.WriteFile(filepath.Join(dir, p.file), p.draw(j), 0o644); err != nil {
			return err
		}
	}
	if readme {
		return j.intoReadme("README.md", dir)
	}
	return nil
}
