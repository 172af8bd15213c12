package outbox

import (
	"bytes"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
)

// Random operations on a queue, held step by step against the plain byte slice
// that it stands for.
func TestQueueAgainstModel(t *testing.T) {
	content := pattern(4 * chunkSize)
	for range 40 {
		m := &model{
			t:       t,
			random:  newRandom(t),
			file:    tempFile(t, content),
			content: content,
		}
		m.queue = m.free.GetQueue()
		for range 600 {
			m.step()
			m.check()
		}
		m.finish()
	}
}

type model struct {
	t       *testing.T
	random  *rand.Rand
	file    *os.File
	content []byte
	free    FreeList
	queue   *Queue

	want     []byte // the bytes that the queue must hold
	written  int64  // bytes advanced since the start
	appended int64  // bytes added since the start
	owed     []owed // the releases to expect, in order
	released []int
	next     int
}

// owed is a release that is due when so many bytes are written.
type owed struct {
	id  int
	end int64
}

func (m *model) step() {
	size := m.size()
	from := m.random.IntN(len(m.content) - size)
	p := m.content[from : from+size]
	switch m.random.IntN(9) {
	case 0:
		m.queue.Write(p)
		m.append(p)
	case 1:
		b := m.queue.Tail()
		p = p[:min(size, 2000)]
		b.B = append(b.B, p...)
		m.append(p)
	case 2:
		b := m.free.Get()
		b.B = append(b.B, p...)
		m.queue.WriteBuffer(b)
		m.append(p)
	case 3:
		m.append(p)
		m.queue.WriteOwned(p, m.release())
	case 4:
		offset := m.random.IntN(len(m.content))
		size = min(size, len(m.content)-offset)
		m.append(m.content[offset : offset+size])
		m.queue.WriteFile(m.file, int64(offset), int64(size), m.release())
	default:
		m.write()
	}
}

// size favours the small, the empty and the borders of a chunk.
func (m *model) size() int {
	switch m.random.IntN(6) {
	case 0:
		return 0
	case 1:
		return chunkSize - 1 + m.random.IntN(3)
	case 2:
		return m.random.IntN(2*chunkSize + 2)
	}
	return m.random.IntN(300)
}

func (m *model) append(p []byte) {
	m.want = append(m.want, p...)
	m.appended += int64(len(p))
}

func (m *model) release() func() {
	id := m.next
	m.next++
	m.owed = append(m.owed, owed{id, m.appended})
	return func() { m.released = append(m.released, id) }
}

// write acts as a kernel that accepts a random part of the bytes it is given.
func (m *model) write() {
	var shown []byte
	if f, offset, length := m.queue.File(); f != nil {
		shown = m.content[offset : offset+length]
	} else {
		limit := 1 + m.random.Int64N(3*chunkSize)
		slices := m.queue.Slices(make([][]byte, 0, 1+m.random.IntN(8)), limit)
		shown = bytes.Join(slices, nil)
		if int64(len(shown)) > limit {
			m.t.Fatalf("%d bytes shown, limit %d", len(shown), limit)
		}
		if len(shown) == 0 && len(m.want) > 0 {
			m.t.Fatalf("nothing shown of %d bytes", len(m.want))
		}
	}
	if !bytes.HasPrefix(m.want, shown) {
		m.t.Fatalf("after %d bytes: the head of the queue differs from the bytes written to it", m.written)
	}
	n := m.random.IntN(len(shown) + 1)
	if m.random.IntN(2) == 0 {
		n = len(shown)
	}
	m.queue.Advance(int64(n))
	m.want = m.want[n:]
	m.written += int64(n)
}

func (m *model) check() {
	m.t.Helper()
	if got := m.queue.Len(); got != int64(len(m.want)) {
		m.t.Fatalf("after %d bytes: Len %d, want %d", m.written, got, len(m.want))
	}
	due := 0
	for due < len(m.owed) && m.owed[due].end <= m.written {
		due++
	}
	m.checkReleased(due)
}

func (m *model) checkReleased(n int) {
	m.t.Helper()
	var want []int
	for _, o := range m.owed[:n] {
		want = append(want, o.id)
	}
	if !reflect.DeepEqual(m.released, want) {
		m.t.Fatalf("after %d bytes: released %v, want %v", m.written, m.released, want)
	}
}

// finish writes everything, or discards the queue.
func (m *model) finish() {
	if m.random.IntN(2) == 0 {
		for len(m.want) > 0 {
			m.write()
			m.check()
		}
		checkEmpty(m.t, m.queue)
	}
	m.free.PutQueue(m.queue)
	m.checkReleased(len(m.owed))
}

// releaseLog notes the order of releases.
type releaseLog struct{ names []string }

func (l *releaseLog) add(name string)            { l.names = append(l.names, name) }
func (l *releaseLog) release(name string) func() { return func() { l.add(name) } }
func (l *releaseLog) String() string             { return strings.Join(l.names, " ") }

// newRandom has a new seed each time, which a failure shows.
func newRandom(t *testing.T) *rand.Rand {
	t.Helper()
	a, b := rand.Uint64(), rand.Uint64()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed of one source: %d, %d", a, b)
		}
	})
	return rand.New(rand.NewPCG(a, b))
}

// pattern is n bytes without a short period.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i + i>>8*7 + i>>16*13)
	}
	return p
}

// drain takes everything out of a queue without files.
func drain(t *testing.T, q *Queue) string {
	t.Helper()
	var out []byte
	for q.Len() > 0 {
		slices := q.Slices(make([][]byte, 0, 3), 1000)
		if len(slices) == 0 {
			t.Fatalf("no slices of %d bytes", q.Len())
		}
		n := 0
		for _, p := range slices {
			out = append(out, p...)
			n += len(p)
		}
		q.Advance(int64(n))
	}
	return string(out)
}

func checkEmpty(t *testing.T, q *Queue) {
	t.Helper()
	if q.Len() != 0 {
		t.Errorf("Len %d, want an empty queue", q.Len())
	}
	if slices := q.Slices(make([][]byte, 0, 8), 100); len(slices) != 0 {
		t.Errorf("slices %q of an empty queue", slices)
	}
	if f, _, _ := q.File(); f != nil {
		t.Error("a file in an empty queue")
	}
}
