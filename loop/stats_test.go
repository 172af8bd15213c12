package loop

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
)

// Every field takes part: what is added later too.
func TestStatsAddSumsEveryField(t *testing.T) {
	var a, b Stats
	fill := func(s *Stats, factor int64) {
		v := reflect.ValueOf(s).Elem()
		for i := range v.NumField() {
			if f := v.Field(i); f.CanInt() {
				f.SetInt(factor * int64(i+1))
			} else {
				f.SetUint(uint64(factor * int64(i+1)))
			}
		}
	}
	fill(&a, 1)
	fill(&b, 100)
	sum := reflect.ValueOf(a.Add(b))
	for i := range sum.NumField() {
		name, want := sum.Type().Field(i).Name, fmt.Sprint(101*(i+1))
		if name == "MaxLag" {
			want = fmt.Sprint(100 * (i + 1)) // the longer one
		}
		got := ""
		if f := sum.Field(i); f.CanInt() {
			got = fmt.Sprint(f.Int())
		} else {
			got = fmt.Sprint(f.Uint())
		}
		if got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if got := (Stats{Accepted: 5, Dialled: 2, Closed: 3}).Open(); got != 4 {
		t.Errorf("Open %d, want 4", got)
	}
}

func TestStatsAreJSON(t *testing.T) {
	want := Stats{Accepted: 7, PendingOutput: 1 << 40, MaxLag: time.Second}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Stats
	if err := json.Unmarshal(text, &got); err != nil || got != want {
		t.Errorf("%s is %+v, %v, want %+v", text, got, err, want)
	}
}

func TestEndsAreCountedByCause(t *testing.T) {
	for _, c := range []struct {
		cause error
		want  Stats
	}{
		{nil, Stats{Closed: 1}},
		{io.EOF, Stats{Closed: 1}},
		{errors.New("the protocol's own"), Stats{Closed: 1}},
		{ErrInputFull, Stats{Closed: 1, InputOverflows: 1}},
		{ErrOutputFull, Stats{Closed: 1, OutputOverflows: 1}},
		{unix.ECONNRESET, Stats{Closed: 1, SocketErrors: 1}},
		{fmt.Errorf("write: %w", unix.EPIPE), Stats{Closed: 1, SocketErrors: 1}},
	} {
		var s Stats
		if s.ended(c.cause); s != c.want {
			t.Errorf("%v: %+v, want %+v", c.cause, s, c.want)
		}
	}
}

func TestConnectionsThatAreNotOpenedAreCounted(t *testing.T) {
	r := newRig(t)
	r.loop.forced = true // the loop ends
	ours, _ := tcpPair.make(t)
	r.loop.limit.served.acquire()
	opened := r.loop.open(r.loop.newConn(ours.release(), sockets.Addr{}), echo{}.Open, &r.loop.count.Accepted)
	if s := r.loop.count; opened || s.Dropped != 1 || s.Accepted != 0 || s.Open() != 0 {
		t.Errorf("opened %v, %+v, want one that was dropped", opened, s)
	}
}

func TestBusyIsTheTimeOutOfTheWait(t *testing.T) {
	r := newRig(t)
	r.cycle() // what comes before counts for nothing
	before := r.loop.Stats()
	work := func(d time.Duration) {
		_ = r.loop.Post(func() { r.now.Add(int64(d)) })
		r.cycle() // which ends at the beginning of the next
		r.cycle()
	}
	work(30 * time.Millisecond)
	work(10 * time.Millisecond)
	s := r.loop.Stats()
	if got := s.Busy - before.Busy; got != 40*time.Millisecond {
		t.Errorf("busy for %v, want 40ms", got)
	}
	if s.MaxLag != 30*time.Millisecond {
		t.Errorf("lag %v, want 30ms", s.MaxLag)
	}
	if got := s.Cycles - before.Cycles; got != 4 {
		t.Errorf("%d cycles, want 4", got)
	}
}

func TestPendingOutputIsWhatPeersLeave(t *testing.T) {
	r := newRig(t)
	const size = 3 << 20
	ends := map[string]func(c *Conn, peer *socket){
		"read": func(_ *Conn, peer *socket) { r.take(peer, size) },
		"cut":  func(c *Conn, _ *socket) { c.Abort(nil) },
		"detached": func(c *Conn, _ *socket) {
			conn, _, err := c.Detach()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
		},
	}
	for name, end := range ends {
		c, peer := r.open(tcpPair, &script{})
		_, _ = c.Write(make([]byte, size))
		r.cycle()
		if got, want := r.loop.Stats().PendingOutput, c.Pending(); got != want || got == 0 {
			t.Errorf("%s: %d bytes, want %d, and some", name, got, want)
		}
		end(c, peer)
		r.until("all is gone", func() bool { return r.loop.Stats().PendingOutput == 0 })
		c.Abort(nil)
		peer.close()
		r.cycle()
	}
}

// What every cycle pays for the counts to be seen elsewhere.
func BenchmarkPublish(b *testing.B) {
	for _, protocols := range []int{0, 1, 2} {
		b.Run(fmt.Sprintf("protocols=%d", protocols), func(b *testing.B) {
			l, err := newReactor(Config{}, 0, newLimit(1, 0))
			if err != nil {
				b.Fatal(err)
			}
			defer l.Discard()
			for range protocols {
				NewCounts[[24]uint64](l.Loop)
			}
			for b.Loop() {
				l.count.BytesRead++
				l.publish()
			}
		})
	}
}
