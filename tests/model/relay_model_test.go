package model

import (
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAnyRelay is TestAnySequence for a protocol that relays input to another connection.
// Each direction progresses while the other one is full, bytes arrive exactly and in
// order, pending output is bounded, and ends are relayed.
func TestAnyRelay(t *testing.T) {
	dir := prepare(t)
	rapid.Check(t, func(t *rapid.T) {
		leavesNothing(t, func() {
			m := startRelay(t, dir)
			defer m.cutOff()
			t.Repeat(map[string]func(*rapid.T){
				"":           m.nothingWrong,
				"open":       m.open,
				"send":       m.send,
				"read":       m.read,
				"half-close": m.halfClose,
				"disconnect": m.disconnect,
				"moves":      m.moves,
				"drain":      m.drain,
			})
			m.end(t)
		})
	})
}

// relayModel is one relaying engine with the peers on both sides.
type relayModel struct {
	server
	relay    *relay
	layer    layer
	upstream net.Listener // nil if accepted connections are joined
	ends     []*relayEnd
}

// relayEnd is one of two joined peers.
type relayEnd struct {
	socket
	other  *relayEnd
	resets bool // it has closed with a reset, without a half-close before
}

func startRelay(t *rapid.T, dir string) *relayModel {
	m := &relayModel{relay: &relay{joined: make(chan struct{}, 1)}}
	m.network = rapid.SampledFrom([]string{"tcp", "unix"}).Draw(t, "network")
	m.options = someOptions(t)
	m.layer = someLayer(t)
	if rapid.Bool().Draw(t, "dials") {
		m.listenUpstream(t, dir)
	} else {
		m.options.Loops = 1
	}
	m.relay.lends = rapid.Bool().Draw(t, "lends")
	m.start(t, dir, m.layer.over(m.relay.accepted))
	m.open(t)
	return m
}

func (m *relayModel) listenUpstream(t *rapid.T, dir string) {
	network := rapid.SampledFrom([]string{"tcp", "unix"}).Draw(t, "network of the other side")
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(dir, "upstream")
	}
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	m.upstream = ln
	m.relay.network, m.relay.to = network, ln.Addr().String()
	if m.layer != handedOver { // the peer that is dialled sends no preface
		m.relay.layer = m.layer
	}
}

func (m *relayModel) open(t *rapid.T) {
	if m.drained != nil || len(m.ends) == 4 {
		t.Skip("no more")
	}
	a := m.joins(m.dial(t, m.layer, len(m.ends)))
	b := m.joins(m.otherSide(t))
	a.other, b.other = b, a
	receive(t, m.relay.joined, "the connections are joined")
}

func (m *relayModel) otherSide(t *rapid.T) socket {
	if m.upstream == nil {
		return m.dial(t, m.layer, len(m.ends))
	}
	_ = m.upstream.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Now().Add(patience))
	conn, err := m.upstream.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return socket{conn: conn, id: len(m.ends)}
}

func (m *relayModel) joins(s socket) *relayEnd {
	e := &relayEnd{socket: s}
	e.verify = e.relayed
	m.ends = append(m.ends, e)
	return e
}

// relayed compares input with the bytes sent by the other end.
func (e *relayEnd) relayed(p []byte) error {
	for i, b := range p {
		if b != inputByte(e.other.id, e.got+int64(i)) {
			return fmt.Errorf("end %d: wrong byte at offset %d", e.id, e.got+int64(i))
		}
	}
	if e.got+int64(len(p)) > e.other.sent {
		return fmt.Errorf("end %d received %d bytes, %d were sent", e.id, e.got+int64(len(p)), e.other.sent)
	}
	return nil
}

// present draws an end that has not closed.
func (m *relayModel) present(t *rapid.T) *relayEnd {
	e := m.ends[rapid.IntRange(0, len(m.ends)-1).Draw(t, "end")]
	if e.gone {
		t.Skip("it has closed")
	}
	return e
}

func (m *relayModel) send(t *rapid.T) {
	e := m.present(t)
	if n := rapid.SampledFrom([]int{1, 100, 5000, 70_000, 300_000, 2_000_000}).Draw(t, "bytes"); !e.shut {
		e.send(n)
	}
}

func (m *relayModel) read(t *rapid.T) {
	e := m.present(t)
	n := rapid.SampledFrom([]int{1, 1000, 1 << 20}).Draw(t, "bytes")
	if err := e.read(n, time.Millisecond); err != nil {
		t.Fatal(err)
	}
}

func (m *relayModel) halfClose(t *rapid.T) { m.present(t).shutWrite() }

func (m *relayModel) disconnect(t *rapid.T) {
	e := m.present(t)
	if rapid.IntRange(0, 3).Draw(t, "seldom") > 0 {
		t.Skip("not now")
	}
	if rapid.Bool().Draw(t, "reset") {
		_, e.resets = e.conn.(*net.TCPConn)
		e.resets = e.resets && !e.shut
		e.reset()
	} else {
		e.close()
	}
}

func (m *relayModel) drain(t *rapid.T) {
	if m.drained != nil || rapid.IntRange(0, 9).Draw(t, "seldom") > 0 {
		t.Skip("not now")
	}
	m.shutdown(time.Hour)
}

// moves reads everything that the other end has sent, while that end reads nothing: a
// full direction does not stop the other one.
func (m *relayModel) moves(t *rapid.T) {
	e := m.present(t)
	if e.other.gone {
		t.Skip("the other end has closed")
	}
	if rapid.Bool().Draw(t, "send first") {
		for _, e := range []*relayEnd{e, e.other} {
			if !e.shut {
				e.send(2_000_000)
			}
		}
	}
	for deadline := time.Now().Add(patience); e.got < e.other.sent; {
		if err := e.read(1<<20, time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if e.got < e.other.sent && (e.end != nil || time.Now().After(deadline)) {
			t.Fatalf("end %d received %d bytes of %d, then %v; the other end has read %d bytes of %d",
				e.id, e.got, e.other.sent, e.end, e.other.got, e.sent)
		}
	}
}

// nothingWrong is checked after every step.
func (m *relayModel) nothingWrong(t *rapid.T) {
	m.relay.mu.Lock()
	defer m.relay.mu.Unlock()
	if len(m.relay.wrong) > 0 {
		t.Fatalf("%q", m.relay.wrong)
	}
}

// end half-closes all ends, reads them to the end, and checks the results.
func (m *relayModel) end(t *rapid.T) {
	if m.drained == nil {
		m.shutdown(time.Hour)
	}
	results := make(chan error, len(m.ends))
	for _, e := range m.ends {
		if !e.gone {
			e.shutWrite()
		}
		go func() { results <- e.finish() }()
	}
	for range m.ends {
		if err := receive(t, results, "an end reads the end"); err != nil {
			t.Error(err)
		}
	}
	m.ended(t)
	m.nothingWrong(t)
	for _, e := range m.ends {
		e.check(t)
	}
	if s := m.engine.Stats(); s.Accepted+s.Dialled != uint64(len(m.ends)) || s.Closed != uint64(len(m.ends)) || s.Panics != 0 {
		t.Errorf("stats %+v after %d connections", s, len(m.ends))
	}
	m.closeUpstream()
}

// check checks an end that has not closed: it has received everything, unless the other
// one has closed.
func (e *relayEnd) check(t *rapid.T) {
	switch {
	case e.gone:
	case e.other.gone:
		if e.other.resets && e.orderly() && e.conn.RemoteAddr().Network() == "tcp" {
			t.Errorf("end %d: an orderly end, but the other end was reset", e.id)
		}
	case e.got != e.other.sent || !errors.Is(e.end, io.EOF):
		t.Errorf("end %d received %d bytes of %d, then %v", e.id, e.got, e.other.sent, e.end)
	}
}

func (m *relayModel) closeUpstream() {
	if m.upstream != nil {
		_ = m.upstream.Close() // may be closed already
	}
}

// cutOff cleans up after a failed check.
func (m *relayModel) cutOff() {
	m.server.cutOff()
	m.closeUpstream()
	for _, e := range m.ends {
		_ = e.conn.Close() // may be closed already
	}
}
