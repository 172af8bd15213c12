package loop

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/wheel"
)

// exchange is a conversation of one client with a protocol, whose every byte is
// known. The sweep repeats it with one fault after the other.
type exchange struct {
	network  string
	settings func(*Settings)
	protocol func(t *testing.T) opener
	send     []string                // pieces: the next is sent when the loop sleeps
	leaves   bool                    // the client closes right after the last piece, and does not only shut its output
	resets   bool                    // the client closes with a reset at the end
	slow     int                     // bytes that the client reads at a time, 0 for all
	want     []byte                  // what the client gets
	mask     func(got []byte) []byte // blanks out what differs each time
	heard    func() []byte           // what the protocol has used, where that is to be checked
}

// trial is an exchange with a fault.
type trial struct {
	*rig
	x         *exchange
	faults    *faults
	witness   *witness
	cycles    int   // that were not asleep
	jumped    int64 // nanoseconds on the loop's clock
	connect   func() *socket
	neighbour *socket
}

func newTrial(t *testing.T, x *exchange) *trial {
	r := newRig(t)
	r.settings.LingerTimeout, r.settings.WriteTimeout = time.Hour, time.Hour
	if x.settings != nil {
		x.settings(r.settings)
	}
	tr := &trial{rig: r, x: x, witness: newWitness(x.protocol(t))}
	address := "127.0.0.1:0"
	if x.network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	_, addr := r.listen("tcp4", "127.0.0.1:0", echo{})
	tr.neighbour = dial(t, addr)
	tr.neighbour.send("before ")
	r.until("the neighbour is served", tr.neighbour.has("before "))

	a, addr := r.listen(x.network, address, tr.witness)
	tr.connect = func() *socket { return dial(t, addr) }
	tr.faults = inject(r.loop)
	tr.witness.faults = tr.faults
	tr.faults.arm(fault{}, a.fd)
	return tr
}

// awake reports whether the loop would not sleep now.
func (tr *trial) awake() bool {
	if tr.loop.timeout() == 0 {
		return true
	}
	events, err := tr.faults.Backend.Wait(0)
	tr.must("poll", err)
	return len(events) > 0
}

func (tr *trial) must(what string, err error) {
	tr.t.Helper()
	if err != nil {
		tr.t.Fatalf("%s: %v", what, err)
	}
}

// step runs a cycle if the loop is awake. If it waits for a moment, the moment
// passes. It reports whether there was anything to do.
func (tr *trial) step() bool {
	tr.t.Helper()
	if tr.awake() {
		tr.cycles++
		tr.must("cycle", tr.loop.cycle(0))
		return true
	}
	if next := tr.loop.wheel.Next() * wheel.Tick; next > 0 && next-tr.now.Load() <= int64(shortageDelay+2*wheel.Tick) {
		tr.jumped += next - tr.now.Load()
		tr.now.Store(next)
		return true
	}
	return false
}

// converse plays the client's part to the end.
func (tr *trial) converse(client *socket) {
	tr.t.Helper()
	pieces, unsent, over := tr.x.send, "", false
	for deadline := time.Now().Add(patience); !over || !client.eof && client.err == nil; runtime.Gosched() {
		if time.Now().After(deadline) {
			tr.t.Fatalf("the exchange does not end: client got %d bytes, %d pieces unsent, lives %+v",
				len(client.got), len(pieces), tr.witness.life(tr.witness.first))
		}
		worked := tr.step()
		pulled := client.pull(cmp.Or(tr.x.slow, 1<<20))
		switch {
		case client.err != nil:
			over = true
		case unsent != "":
			unsent = unsent[client.push(unsent):]
		case len(pieces) == 0 && tr.x.leaves:
			client.close()
			return
		case worked || pulled > 0 || over:
		case len(pieces) > 0:
			unsent, pieces = pieces[0], pieces[1:]
		case tr.x.resets:
			client.reset()
			return
		default:
			if err := unix.Shutdown(client.fd, unix.SHUT_WR); err != nil && err != unix.ENOTCONN {
				tr.t.Fatal(err)
			}
			over = true
		}
	}
	client.close()
}

// push writes what the kernel takes. A connection that is gone takes everything:
// the next read tells.
func (s *socket) push(text string) int {
	s.t.Helper()
	n, err := unix.Write(s.fd, []byte(text))
	switch err {
	case nil:
		return n
	case unix.EAGAIN:
		return 0
	case unix.EPIPE, unix.ECONNRESET:
		return len(text)
	}
	s.t.Fatal(err)
	return 0
}

// rest runs the loop until it sleeps and only the neighbour is left.
func (tr *trial) rest() {
	tr.t.Helper()
	for deadline := time.Now().Add(patience); tr.step() || tr.loop.conns > 1; runtime.Gosched() {
		if time.Now().After(deadline) {
			tr.t.Fatalf("the loop does not come to rest: %d connections", tr.loop.conns)
		}
	}
}

// play runs the exchange with one fault, and holds what must be so after any.
func (tr *trial) play(row row, f fault) {
	t := tr.t
	t.Helper()
	listener := tr.loop.acceptors[1].fd
	tr.neighbour.send("during ")
	if f.late {
		tr.faults.arm(fault{}, listener)
		tr.converse(tr.connect()) // the faults know its token from here
		tr.rest()
		tr.witness.first = nil
		tr.faults.fault, tr.faults.made, tr.faults.aim = f, map[callName]int{}, nil
	} else {
		tr.faults.arm(f, listener)
	}
	client := tr.connect()
	tr.converse(client)
	tr.rest()
	tr.faults.disarm()

	victim := tr.witness.life(tr.witness.first)
	whole := tr.check(row, client, victim)
	if limit := 4*(tr.faults.done+tr.faults.hits) + 64; tr.cycles > limit {
		t.Errorf("%d cycles for %d calls: the loop spins", tr.cycles, tr.faults.done+tr.faults.hits)
	}
	if row.waits && tr.jumped < int64((tr.faults.hits-1)/max(1, row.together))*int64(shortageDelay) {
		t.Errorf("%d failures in %v: the loop does not wait in between", tr.faults.hits, time.Duration(tr.jumped))
	}
	if !whole && tr.faults.hits == 0 {
		t.Error("without a fault")
	}

	tr.neighbour.send("after")
	tr.until("the neighbour is unharmed", tr.neighbour.has("before during after"))
	if row.ends { // otherwise this very connection has shown it
		again := tr.connect()
		tr.witness.first = nil
		if tr.converse(again); !bytes.Equal(tr.x.masked(again.got), tr.x.want) && !tr.x.leaves && !tr.x.resets {
			t.Errorf("the next client got %d bytes, want %d", len(again.got), len(tr.x.want))
		}
		tr.rest()
	}
	if n := tr.loop.limit.served.used.Load(); n != 1 {
		t.Errorf("%d connections counted, want the neighbour's", n)
	}
}

func (x *exchange) masked(got []byte) []byte {
	if x.mask != nil {
		return x.mask(got)
	}
	return got
}

// check holds the outcome for the client and the protocol against what is allowed,
// and reports whether the exchange was whole.
func (tr *trial) check(row row, client *socket, victim *life) (whole bool) {
	t, got := tr.t, tr.x.masked(client.got)
	t.Helper()
	if victim.late != 0 || victim.opened > 1 || victim.closed != victim.opened {
		t.Errorf("opened %d times, closed %d times, %d calls out of turn", victim.opened, victim.closed, victim.late)
	}
	if tr.x.heard != nil && victim.opened > 0 {
		sent, heard := bytes.Join(toBytes(tr.x.send), nil), tr.x.heard()
		if !bytes.HasPrefix(sent, heard) || !row.ends && len(heard) != len(sent) {
			t.Errorf("the protocol got %d bytes of %d", len(heard), len(sent))
		}
	}
	if tr.x.leaves || tr.x.resets {
		tr.checkEnd(row, victim)
		return true
	}
	whole = bytes.Equal(got, tr.x.want) && client.eof
	switch {
	case whole:
	case !row.ends:
		t.Errorf("the client got %d bytes of %d, end %v, %v; the protocol was told %v",
			len(got), len(tr.x.want), client.eof, client.err, victim.cause)
	case !bytes.HasPrefix(tr.x.want, got):
		t.Errorf("the client got %d bytes that were not written so", len(got))
	case victim.opened > 0 && (victim.cause == nil || errors.Is(victim.cause, io.EOF)):
		t.Errorf("the client got %d bytes of %d, and the protocol was told %v", len(got), len(tr.x.want), victim.cause)
	case client.eof && victim.opened > 0 && tr.x.network != "unix":
		t.Errorf("the client got %d bytes of %d and an orderly end", len(got), len(tr.x.want))
	}
	return whole
}

// checkEnd checks the cause that the protocol got after a client has left.
func (tr *trial) checkEnd(row row, victim *life) {
	t := tr.t
	t.Helper()
	switch orderly := victim.cause == nil || errors.Is(victim.cause, io.EOF); {
	case victim.opened == 0:
	case orderly && tr.x.resets:
		t.Errorf("a reset was reported as %v", victim.cause)
	case !orderly && !tr.x.resets && !row.ends:
		t.Errorf("an orderly end was reported as %v", victim.cause)
	}
}

func toBytes(pieces []string) (all [][]byte) {
	for _, p := range pieces {
		all = append(all, []byte(p))
	}
	return all
}

// sweep runs the exchange without a fault, and then with every fault that fits a
// call it has made, at each of the first calls and in series.
func sweep(t *testing.T, x *exchange) {
	var made map[callName]int
	t.Run("no fault", func(t *testing.T) {
		tr := newTrial(t, x)
		tr.play(row{}, fault{})
		made = tr.faults.made
	})
	if t.Failed() {
		return
	}
	made[onWait] = 3
	made[onControl] = made[onAdd] + made[onSet] + made[onDelete]
	before, trials := openDescriptors(), 0
	for _, row := range rows {
		if row.late && x.heard != nil {
			continue // it is kept for one connection only
		}
		for _, f := range row.faults(made[row.call]) {
			trials++
			t.Run(fmt.Sprint(f), func(t *testing.T) {
				tr := newTrial(t, x)
				tr.play(row, f)
				if f.first == 1 && tr.faults.hits == 0 {
					t.Error("the fault did not strike")
				}
			})
			if after := openDescriptors(); after != before {
				t.Errorf("after %v: %d descriptors, %d before", f, after, before)
				before = after
			}
		}
	}
	t.Logf("%d faults, over the calls %v", trials, made)
}
