package model

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/eddynet/eddy"
)

// blocker blocks loops until free is closed.
type blocker struct {
	free chan struct{}

	mu    sync.Mutex
	loops map[*eddy.Loop]bool // guarded by mu: the blocked ones
}

func (b *blocker) block(c *eddy.Conn) {
	b.mu.Lock()
	b.loops[c.Loop()] = true
	b.mu.Unlock()
	<-b.free
}

func (b *blocker) blocks(l *eddy.Loop) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.loops[l]
}

// endBlocked ends the engine while callbacks block some of its loops. Run and Shutdown
// return at their deadline, with an error that names the callbacks. The loops end when
// the callbacks return.
func (m *model) endBlocked(t *rapid.T) {
	m.cut = true
	b := &blocker{free: make(chan struct{}), loops: map[*eddy.Loop]bool{}}
	free := sync.OnceFunc(func() { close(b.free) })
	defer free()
	for range rapid.IntRange(1, 2).Draw(t, "blocked loops") {
		if l := m.some(t).life; !b.blocks(l.loop) && l.ref.Do(b.block) == nil {
			await(t, "the loop is blocked", func() bool { return b.blocks(l.loop) || l.ended() })
		}
	}
	returned := []<-chan error{m.ran}
	if m.drained != nil {
		returned = append(returned, m.drained)
	}
	if rapid.Bool().Draw(t, "Run's context ends") {
		m.stop()
	} else {
		m.shutdown(drainTimeout)
		returned = append(returned, m.drained)
	}
	for _, result := range returned {
		err := receive(t, result, "Run and Shutdown return at the deadline")
		b.named(t, err)
	}
	free()
	m.finish(t)
	await(t, "the loops have ended", func() bool {
		s := m.engine.Stats()
		return s.Accepted == uint64(len(m.clients)) && s.Closed == s.Accepted
	})
}

// named checks that an error names all blocked loops.
func (b *blocker) named(t *rapid.T, err error) {
	var blocked *eddy.BlockedError
	switch {
	case len(b.loops) == 0:
	case !errors.As(err, &blocked) || !errors.Is(err, context.DeadlineExceeded):
		t.Errorf("%d loops are blocked, the error is %v", len(b.loops), err)
	case strings.Count(err.Error(), "(*blocker).block") != len(b.loops):
		t.Errorf("%d loops are blocked, the error names %v", len(b.loops), err)
	}
}

// blockedLog is a log whose output blocks until it is released.
type blockedLog struct{ released chan struct{} }

func (l blockedLog) Enabled(context.Context, slog.Level) bool { return true }
func (l blockedLog) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l blockedLog) WithGroup(string) slog.Handler            { return l }

func (l blockedLog) Handle(context.Context, slog.Record) error {
	<-l.released
	return nil
}

// seldom is true for about one draw of 32, and never while rapid shrinks a sequence.
// rapid draws small numbers more often than others.
func seldom(t *rapid.T, label string) bool { return rapid.IntRange(0, 31).Draw(t, label) == 17 }

// someLog draws a log that blocks, or one that discards.
func (m *model) someLog(t *rapid.T) *slog.Logger {
	if !seldom(t, "log blocks") {
		m.releaseLog = func() {}
		return slog.New(slog.DiscardHandler)
	}
	l := blockedLog{make(chan struct{})}
	m.releaseLog = sync.OnceFunc(func() { close(l.released) })
	return slog.New(l)
}

// log logs on a loop.
func (m *model) log(t *rapid.T) {
	m.do(m.some(t).life, func(c *eddy.Conn) { c.Loop().Logger().Warn("a line of the model") })
}

// block blocks a loop for a moment.
func (m *model) block(t *rapid.T) {
	d := rapid.SampledFrom([]time.Duration{time.Millisecond, 5 * time.Millisecond}).Draw(t, "for")
	m.do(m.some(t).life, func(*eddy.Conn) { time.Sleep(d) })
}
