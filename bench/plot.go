package main

import (
	"fmt"
	"image/color"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// plot draws each scenario's first column: a bar for the median, a line for the range.
func (r *report) plot(folder string) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	for _, s := range scenarios() {
		p, err := draw(s, r.rows(s))
		if err != nil {
			return fmt.Errorf("drawing %s: %w", s.Name, err)
		}
		if p == nil {
			continue
		}
		for _, kind := range []string{"svg", "png"} {
			if err := p.Save(20*vg.Centimeter, 10*vg.Centimeter, filepath.Join(folder, s.Name+"."+kind)); err != nil {
				return err
			}
		}
	}
	return nil
}

// bars are heights and their ranges, for plotter.NewYErrorBars.
type bars struct {
	plotter.XYs
	plotter.YErrors
}

// draw returns nil if all rows are void.
func draw(s scenario, rows []row) (*plot.Plot, error) {
	c := columns(s)[0]
	var names []string
	var heights plotter.Values
	var ranges bars
	for _, w := range rows {
		if w.void != "" {
			continue
		}
		v := w.over(c.figure)
		ranges.XYs = append(ranges.XYs, plotter.XY{X: float64(len(names)), Y: v.median})
		ranges.YErrors = append(ranges.YErrors, struct{ Low, High float64 }{v.median - v.least, v.most - v.median})
		heights = append(heights, v.median)
		names = append(names, w.label)
	}
	if names == nil {
		return nil, nil
	}
	p := plot.New()
	p.Title.Text = s.Name + ": " + s.About
	p.Y.Label.Text = c.head
	if s.asks() {
		p.Y.Label.Text = "server's " + c.head + " per request"
	}
	p.Y.Min = 0
	chart, err := plotter.NewBarChart(heights, vg.Centimeter)
	if err != nil {
		return nil, err
	}
	chart.Color = color.RGBA{R: 0x4c, G: 0x8b, B: 0xb0, A: 0xff}
	chart.LineStyle.Width = 0
	lines, err := plotter.NewYErrorBars(ranges)
	if err != nil {
		return nil, err
	}
	p.Add(plotter.NewGrid(), chart, lines)
	p.NominalX(names...)
	p.X.Min, p.X.Max = -0.6, float64(len(names))-0.4
	return p, nil
}
