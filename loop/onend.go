package loop

// OnEnd has fn called when the loop has ended: after its last connection was freed, and
// before Run of the engine returns. It is for what a protocol keeps for each loop, such
// as goroutines of its own. Loop only, as fn is.
func (l *Loop) OnEnd(fn func()) { l.onEnd = append(l.onEnd, fn) }

// callOnEnd calls the functions of OnEnd, once.
func (l *Loop) callOnEnd() {
	fns := l.onEnd
	l.onEnd = nil
	for _, fn := range fns {
		l.call(fn)
	}
}
