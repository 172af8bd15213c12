package main

import (
	"bytes"
	"cmp"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// plot writes a plot of each scenario's first column, and overview, where eddy's is
// divided by that of each other peer.
func (r *report) plot(folder string) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	plot.DefaultFont.Variant = "Sans"
	var ratios []chart
	for _, s := range scenarios() {
		rows := r.rows(s)
		if c := chartOf(s, rows); c.bars != nil {
			if err := save(filepath.Join(folder, s.Name), "", 1, c); err != nil {
				return fmt.Errorf("drawing %s: %w", s.Name, err)
			}
		}
		if c := ratioChart(s, rows); c.bars != nil {
			ratios = append(ratios, c)
		}
	}
	if ratios == nil {
		return nil
	}
	return save(filepath.Join(folder, "overview"), overview, 3, ratios...)
}

const overview = "eddy divided by each peer: the server's CPU per request, unless a title names another figure.\n" +
	"Blue: eddy needs less. Thin line: range of the rounds. Red line: goal."

// chart is horizontal bars under a title.
type chart struct {
	title string
	axis  string
	bars  []bar
	ratio bool // on a logarithmic scale, from 1
}

// bar is a median and its range.
type bar struct {
	name string
	spread
	text string  // the median, as it is written beside the bar
	ours bool    // of eddy, or a ratio in its favour: blue
	goal float64 // a mark, unless 0
}

// sorted returns the chart with its bars in the order of their medians.
func (c chart) sorted() chart {
	slices.SortStableFunc(c.bars, func(x, y bar) int { return cmp.Compare(x.median, y.median) })
	return c
}

// chartOf has a bar for each row that is not void: its first column.
func chartOf(s scenario, rows []row) chart {
	first := columns(s)[0]
	c := chart{title: s.Name + ": " + s.About, axis: first.head}
	if s.asks() {
		c.axis = "server's " + first.head + " per request"
	}
	for _, w := range rows {
		if w.void == "" {
			v := w.over(first.figure)
			c.bars = append(c.bars, bar{name: w.label, spread: v, text: fmt.Sprintf(first.format, v.median), ours: w.peer == subject(rows)})
		}
	}
	return c.sorted()
}

// ratioChart has a bar for each comparison of eddy, with the goals.
func ratioChart(s scenario, rows []row) chart {
	c := chart{title: s.Name, ratio: true}
	if of := subject(rows); of != "eddy" && of != s.Name {
		c.title += ", " + of
	}
	for _, one := range comparisons(s, rows) {
		if isOld(one.of) || isOld(one.to) {
			continue
		}
		c.bars = append(c.bars, bar{name: one.to, spread: one.ratio, text: fmt.Sprintf("%.2f", one.ratio.median),
			ours: one.ratio.median <= 1, goal: s.goals[one.to]})
	}
	if first := columns(s)[0].head; first != requestColumns()[0].head {
		c.title += ", " + first
	}
	return c.sorted()
}

// Sizes of a chart.
const (
	barHeight  = 0.5 * vg.Centimeter
	namesWidth = 2 * vg.Centimeter
	headHeight = 0.8 * vg.Centimeter
	axisHeight = 1 * vg.Centimeter
	margin     = 0.3 * vg.Centimeter
)

func (c chart) height() vg.Length {
	if c.axis == "" {
		return headHeight + axisHeight/2 + barHeight*vg.Length(len(c.bars)) + margin
	}
	return headHeight + axisHeight + barHeight*vg.Length(len(c.bars)) + margin
}

// save writes charts side by side in columns, as SVG and PNG, under a common head. Each
// chart goes to the shortest column.
func save(file, head string, columns int, charts ...chart) error {
	heights := make([]vg.Length, columns)
	if head != "" {
		heights = slices.Repeat([]vg.Length{1.5 * headHeight}, columns)
	}
	at := make([]int, len(charts)) // columns
	top := make([]vg.Length, len(charts))
	for i, c := range charts {
		at[i] = slices.Index(heights, slices.Min(heights))
		top[i] = heights[at[i]]
		heights[at[i]] += c.height()
	}
	width, height := 20*vg.Centimeter, slices.Max(heights)
	if columns > 1 {
		width = 10 * vg.Centimeter
	}
	for _, kind := range []string{"svg", "png"} {
		canvas, err := draw.NewFormattedCanvas(width*vg.Length(columns), height, kind)
		if err != nil {
			return err
		}
		page := draw.New(canvas)
		page.FillPolygon(color.White, corners(page.Rectangle)) // text is readable on a dark page too
		style := plot.New().Title.TextStyle
		style.Font.Size, style.YAlign = 11, draw.YTop
		page.FillText(style, vg.Point{X: page.Center().X, Y: height - margin}, head)
		for i, c := range charts {
			left := width * vg.Length(at[i])
			c.draw(draw.Crop(page, left, left+width-page.Max.X, height-top[i]-c.height(), -top[i]))
		}
		var out bytes.Buffer
		if _, err := canvas.WriteTo(&out); err != nil {
			return err
		}
		// The others have the same widths; they are found where Liberation is missing.
		drawn := bytes.ReplaceAll(out.Bytes(), []byte("font-family:Liberation Sans"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif"))
		if err := os.WriteFile(file+"."+kind, drawn, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// The scale of ratios. Bars beyond these are cut; space for their figures remains.
const leastRatio, mostRatio, ratioEdge = 1.0 / 8, 3, 4.5

func (c chart) draw(on draw.Canvas) {
	p := plot.New()
	p.BackgroundColor = nil
	p.Title.Text = c.title
	p.Title.TextStyle.Font.Size = 10
	p.HideY()
	p.X.Label.Text = c.axis
	p.X.Label.TextStyle.Font.Size = 9
	p.X.Tick.Label.Font.Size = 8
	p.X.Min = 0
	if c.ratio {
		p.X.Scale = plot.LogScale{}
		p.X.Tick.Marker = plot.ConstantTicks{{Value: 0.125, Label: "1/8"}, {Value: 0.25, Label: "1/4"}, {Value: 0.5, Label: "1/2"}, {Value: 1, Label: "1"}, {Value: 2, Label: "2"}}
		p.X.Min = leastRatio
	}
	p.Add(c)
	p.Draw(draw.Crop(on, namesWidth, -margin, margin, -margin/2))
}

// DataRange leaves space for the figures right of the bars.
func (c chart) DataRange() (xmin, xmax, ymin, ymax float64) {
	ymin, ymax = -0.5, float64(len(c.bars))-0.5
	if c.ratio {
		return leastRatio, ratioEdge, ymin, ymax
	}
	for _, b := range c.bars {
		xmax = max(xmax, b.most)
	}
	return 0, xmax * 1.12, ymin, ymax
}

var (
	ours   = color.RGBA{R: 0x1f, G: 0x77, B: 0xb4, A: 0xff}
	others = color.RGBA{R: 0xb8, G: 0xbf, B: 0xc6, A: 0xff}
	worse  = color.RGBA{R: 0xe0, G: 0x8a, B: 0x3c, A: 0xff}
	faint  = color.RGBA{R: 0xe4, G: 0xe7, B: 0xea, A: 0xff}
	goal   = color.RGBA{R: 0xc0, G: 0x20, B: 0x20, A: 0xff}
)

// Plot draws the bars, the first one on top.
func (c chart) Plot(on draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&on)
	base, least, most := p.X.Min, p.X.Min, p.X.Max
	if c.ratio {
		base, most = 1, mostRatio
	}
	at := func(value float64) vg.Length { return x(math.Min(math.Max(value, least), most)) }
	for _, tick := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if !tick.IsMinor() {
			vertical(on, x(tick.Value), on.Min.Y, on.Max.Y, faint, 0.5)
		}
	}
	text := p.X.Tick.Label
	text.Font.Size = 9
	text.YAlign = draw.YCenter
	for i, b := range c.bars {
		middle := y(float64(len(c.bars) - 1 - i))
		fill := others
		switch {
		case b.ours:
			fill = ours
		case c.ratio:
			fill = worse
		}
		half := barHeight * 0.36
		on.FillPolygon(fill, corners(vg.Rectangle{Min: vg.Point{X: at(base), Y: middle - half}, Max: vg.Point{X: at(b.median), Y: middle + half}}))
		on.StrokeLine2(draw.LineStyle{Color: color.Black, Width: 0.7}, at(b.least), middle, at(b.most), middle)
		if b.goal != 0 {
			vertical(on, at(b.goal), middle-half*1.3, middle+half*1.3, goal, 1.5)
		}
		text.XAlign = draw.XLeft
		on.FillText(text, vg.Point{X: at(math.Max(b.most, math.Max(base, b.goal))) + 3, Y: middle}, b.text)
		text.XAlign = draw.XRight
		name := text
		if b.ours && !c.ratio {
			name.Color = ours
		}
		on.FillText(name, vg.Point{X: on.Min.X - 4, Y: middle}, b.name)
	}
	if c.ratio {
		vertical(on, x(1), on.Min.Y, on.Max.Y, color.Black, 1)
	}
}

func vertical(on draw.Canvas, x, from, to vg.Length, c color.Color, width vg.Length) {
	on.StrokeLine2(draw.LineStyle{Color: c, Width: width}, x, from, x, to)
}

// corners are those of a rectangle.
func corners(r vg.Rectangle) []vg.Point {
	return []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}}
}
