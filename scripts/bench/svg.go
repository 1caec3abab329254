package main

import (
	"fmt"
	"html"
	"strings"
)

// The picture and the field of it that curves are drawn in.
const (
	width, height = 860, 420
	left, right   = 70, 640
	top, bottom   = 66, 360
)

// style makes the picture readable on light and on dark pages.
const style = `<style>
text { font: 13px sans-serif; fill: #24292f }
.title { font-weight: bold; font-size: 15px }
.page { fill: #ffffff }
.grid { stroke: #d0d7de; stroke-width: 1 }
.curve { fill: none; stroke-width: 2.2 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.page { fill: #0d1117 }
.grid { stroke: #30363d }
}
</style>
`

// colours tell curves apart on both pages. What everything is compared with is
// grey.
var colours = []string{"#2f81f7", "#db6d28", "#3fb950", "#a371f7", "#d29922"}

const grey = "#848d97"

// draw is the picture of what a run measured.
func (p plot) draw(j *journal) []byte {
	curves := p.curves(j)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n%s",
		width, height, html.EscapeString(p.title), style)
	fmt.Fprintf(&b, `<rect class="page" width="%d" height="%d" rx="6"/>`+"\n", width, height)
	write := func(class, anchor string, x, y float64, text string) {
		fmt.Fprintf(&b, `<text class="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`+"\n", class, anchor, x, y, html.EscapeString(text))
	}
	write("title", "start", 12, 26, p.title)
	write("", "middle", (left+right)/2, height-16, p.x)
	write("", "start", 12, top-14, p.y)
	if len(curves) > 0 {
		x := axis{from: left, to: right, log: true}
		x.least, x.most = around(curves, 0, true)
		y := axis{from: bottom, to: top, log: p.log}
		y.least, y.most = around(curves, 1, p.log)
		drawGrid(&b, x, y, write)
		for i, hue := range hues(curves) {
			drawCurve(&b, curves[i], hue, x, y)
			drawKey(&b, curves[i], hue, float64(top+10+24*i), write)
		}
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

func drawGrid(b *strings.Builder, x, y axis, write func(class, anchor string, x, y float64, text string)) {
	for _, v := range x.ticks() {
		fmt.Fprintf(b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`+"\n", x.at(v), x.at(v), top, bottom)
		write("", "middle", x.at(v), bottom+18, number(v))
	}
	for _, v := range y.ticks() {
		fmt.Fprintf(b, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`+"\n", left, right, y.at(v), y.at(v))
		write("", "end", left-8, y.at(v)+4, number(v))
	}
}

// hue is how a curve is drawn: what is measured in two ways has one colour.
type hue struct{ colour, dash string }

func hues(curves []curve) []hue {
	all := make([]hue, len(curves))
	colour := map[string]string{bareDrop: grey}
	for i, c := range curves {
		of, _, _ := strings.Cut(c.name, ",")
		if colour[of] == "" {
			colour[of] = colours[(len(colour)-1)%len(colours)]
		}
		all[i].colour = colour[of]
		if strings.HasSuffix(c.name, "not listed") {
			all[i].dash = "6 4"
		}
	}
	return all
}

func drawCurve(b *strings.Builder, c curve, h hue, x, y axis) {
	var path []string
	for _, p := range c.points {
		path = append(path, fmt.Sprintf("%.1f,%.1f", x.at(p[0]), y.at(p[1])))
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3.2" fill="%s"/>`+"\n", x.at(p[0]), y.at(p[1]), h.colour)
	}
	fmt.Fprintf(b, `<polyline class="curve" stroke="%s" stroke-dasharray="%s" points="%s"/>`+"\n", h.colour, h.dash, strings.Join(path, " "))
}

func drawKey(b *strings.Builder, c curve, h hue, y float64, write func(class, anchor string, x, y float64, text string)) {
	fmt.Fprintf(b, `<line class="curve" x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="%s" stroke-dasharray="%s"/>`+"\n",
		right+16, right+46, y, y, h.colour, h.dash)
	write("", "start", right+54, y+4, c.name)
}
