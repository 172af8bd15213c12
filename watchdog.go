package eddy

import "time"

// watch looks again and again whether a callback holds one of the loops, until stop
// is closed.
func (e *Engine) watch(stop <-chan struct{}) {
	inspections := time.NewTicker(e.options.SlowCallback / 2)
	defer inspections.Stop()
	for {
		select {
		case <-stop:
			return
		case <-inspections.C:
			for _, l := range e.loops {
				l.Inspect()
			}
		}
	}
}
