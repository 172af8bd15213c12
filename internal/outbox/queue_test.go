package outbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/eddynet/eddy/buffers"
)

func TestWriteSpreadsOverBuffersOfBoundedSize(t *testing.T) {
	var s FreeList
	q := s.GetQueue()
	want := pattern(5*chunkSize + 17)
	q.Write(want)
	if q.Len() != int64(len(want)) {
		t.Fatalf("Len %d, want %d", q.Len(), len(want))
	}
	slices := q.Slices(make([][]byte, 0, 64), 1<<30)
	if len(slices) != 6 {
		t.Errorf("%d slices, want 6", len(slices))
	}
	for i, p := range slices {
		if len(p) > chunkSize || cap(p) > buffers.MaxKept {
			t.Errorf("slice %d has %d bytes in a buffer of %d, more than is kept", i, len(p), cap(p))
		}
	}
	if got := bytes.Join(slices, nil); !bytes.Equal(got, want) {
		t.Error("the bytes differ from those written")
	}
}

func TestTailGrowsInPlaceUntilItIsLarge(t *testing.T) {
	var s FreeList
	q := s.GetQueue()
	for q.Tail().B = append(q.Tail().B, "head "...); q.Len() < chunkSize; {
		b := q.Tail()
		b.B = append(b.B, "more "...)
	}
	before := q.Tail()
	if len(before.B) != 0 {
		t.Errorf("a full tail went on growing at %d bytes", len(before.B))
	}
	if n := len(q.segments); n != 1 {
		t.Errorf("%d segments, want the full one", n)
	}
}

func TestTailAfterPartOfItWasWritten(t *testing.T) {
	var s FreeList
	q := s.GetQueue()
	q.Write([]byte("abcdef"))
	q.Advance(4)
	q.Tail().B = append(q.Tail().B, "gh"...)
	if got := q.Len(); got != 4 {
		t.Errorf("Len %d, want 4", got)
	}
	if got := drain(t, q); got != "efgh" {
		t.Errorf("left %q, want %q", got, "efgh")
	}
	q.Tail().B = append(q.Tail().B, "ij"...)
	if got := drain(t, q); got != "ij" {
		t.Errorf("after it ran empty: %q, want %q", got, "ij")
	}
}

func TestSlicesRespectLimitAndCapacity(t *testing.T) {
	var s FreeList
	q := s.GetQueue()
	for _, p := range []string{"one", "two", "three", "four"} {
		q.WriteOwned([]byte(p), nil)
	}
	q.Advance(1)
	for _, c := range []struct {
		capacity int
		limit    int64
		want     []string
	}{
		{8, 100, []string{"ne", "two", "three", "four"}},
		{2, 100, []string{"ne", "two"}},
		{8, 6, []string{"ne", "two", "t"}},
		{8, 2, []string{"ne"}},
		{8, 0, nil},
	} {
		var got []string
		for _, p := range q.Slices(make([][]byte, 0, c.capacity), c.limit) {
			got = append(got, string(p))
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("capacity %d, limit %d: %q, want %q", c.capacity, c.limit, got, c.want)
		}
	}
}

func TestFileRangeStandsAlone(t *testing.T) {
	f := tempFile(t, []byte("0123456789"))
	var s FreeList
	q := s.GetQueue()
	q.Write([]byte("head"))
	q.WriteFile(f, 2, 5, nil)
	q.Write([]byte("tail"))

	if file, _, _ := q.File(); file != nil {
		t.Error("a file at the head, want bytes")
	}
	if got := q.Slices(make([][]byte, 0, 8), 100); len(got) != 1 || string(got[0]) != "head" {
		t.Errorf("slices %q, want only the bytes before the file", got)
	}
	q.Advance(4)
	if got := q.Slices(make([][]byte, 0, 8), 100); len(got) != 0 {
		t.Errorf("slices %q, want none while a file is at the head", got)
	}
	q.Advance(2)
	if file, offset, length := q.File(); file != f || offset != 4 || length != 3 {
		t.Errorf("file range %v at %d of %d, want 4 of 3", file, offset, length)
	}
	q.Advance(3)
	if got := drain(t, q); got != "tail" {
		t.Errorf("after the file: %q, want %q", got, "tail")
	}
	if file, _, length := q.File(); file != nil || length != 0 {
		t.Errorf("an empty queue has a file range of %d", length)
	}
}

func TestReleaseComesOnceInOrderWhenWritten(t *testing.T) {
	f := tempFile(t, []byte("0123456789"))
	var s FreeList
	q := s.GetQueue()
	var log releaseLog
	q.WriteOwned([]byte("aa"), log.release("a"))
	q.Write([]byte("--"))
	q.WriteFile(f, 0, 3, log.release("file"))
	q.WriteOwned([]byte("bb"), log.release("b"))

	for _, step := range []struct {
		n    int64
		want string
	}{{1, ""}, {1, "a"}, {2, "a"}, {2, "a"}, {1, "a file"}, {1, "a file"}, {1, "a file b"}} {
		q.Advance(step.n)
		if log.String() != step.want {
			t.Fatalf("released %q, want %q, with %d bytes left", &log, step.want, q.Len())
		}
	}
	checkEmpty(t, q)
	s.PutQueue(q)
	if log.String() != "a file b" {
		t.Errorf("released again: %q", &log)
	}
}

func TestReleaseComesOnceInOrderWhenDiscarded(t *testing.T) {
	f := tempFile(t, []byte("0123456789"))
	var s FreeList
	q := s.GetQueue()
	var log releaseLog
	q.WriteOwned([]byte("aa"), log.release("a"))
	q.WriteFile(f, 0, 3, log.release("file"))
	q.Write([]byte("copied"))
	q.WriteOwned([]byte("bb"), log.release("b"))
	q.Advance(3) // a is written, file in part
	s.PutQueue(q)
	if log.String() != "a file b" {
		t.Errorf("released %q, want %q", &log, "a file b")
	}
	s.PutQueue(s.GetQueue())
	if log.String() != "a file b" {
		t.Errorf("released again: %q", &log)
	}
}

func TestEmptySegmentIsReleasedInItsTurn(t *testing.T) {
	var s FreeList
	q := s.GetQueue()
	var log releaseLog
	q.WriteOwned(nil, log.release("alone"))
	if log.String() != "alone" {
		t.Fatalf("released %q, want it done at once: nothing stands before it", &log)
	}
	checkEmpty(t, q)

	q.Write([]byte("x"))
	q.WriteOwned(nil, log.release("after"))
	if log.String() != "alone" {
		t.Fatalf("released %q, before the byte in front of it", &log)
	}
	q.Advance(1)
	if log.String() != "alone after" {
		t.Errorf("released %q, want it done with the byte before it", &log)
	}
	checkEmpty(t, q)

	_ = q.Tail() // opened, not used
	q.WriteOwned([]byte("y"), log.release("after an empty tail"))
	if got := drain(t, q); got != "y" {
		t.Errorf("after an empty tail: %q, want %q", got, "y")
	}
}

func TestReleaseMayWriteToTheQueue(t *testing.T) {
	var s FreeList
	q := s.GetQueue()
	var log releaseLog
	left := 200 // more than the segment array's first sizes
	var again func()
	again = func() {
		if left--; left > 0 {
			q.WriteOwned(fmt.Append(nil, left, ";"), again)
			q.Write([]byte("c;"))
			q.WriteOwned(nil, log.release("e"))
		}
	}
	q.WriteOwned([]byte("start;"), again)
	q.WriteOwned([]byte("second;"), nil)

	var want bytes.Buffer
	want.WriteString("start;second;")
	for i := 199; i > 0; i-- {
		fmt.Fprintf(&want, "%d;c;", i)
	}
	if got := drain(t, q); got != want.String() {
		t.Errorf("wrote %q, want %q", got, want.String())
	}
	if n := len(log.names); n != 199 {
		t.Errorf("%d releases of empty segments, want 199", n)
	}
	checkEmpty(t, q)
}

func TestReleaseMayWriteWhileTheQueueIsDiscarded(t *testing.T) {
	var s FreeList
	q := s.GetQueue()
	var log releaseLog
	q.WriteOwned([]byte("a"), func() {
		log.add("a")
		q.WriteOwned([]byte("late"), log.release("late"))
	})
	q.WriteOwned([]byte("b"), log.release("b"))
	s.PutQueue(q)
	if log.String() != "a b late" {
		t.Errorf("released %q, want %q", &log, "a b late")
	}
	checkEmpty(t, s.GetQueue())
}

// A stream that is always written to before it runs empty.
func TestSegmentArrayStaysBoundedInAStream(t *testing.T) {
	var s FreeList
	q := s.GetQueue()
	for i := range 100_000 {
		q.WriteOwned([]byte{byte(i)}, nil)
		if i > 0 {
			q.Advance(1)
		}
		if q.Len() != 1 {
			t.Fatalf("step %d: Len %d, want 1", i, q.Len())
		}
	}
	if c := cap(q.segments); c > 8 {
		t.Errorf("a queue that never held more than 2 segments has an array of %d", c)
	}
}

func TestTailStreamGivesItsBuffersBack(t *testing.T) {
	var s FreeList
	q := s.GetQueue()
	chunk := pattern(1000)
	for range 10_000 {
		q.Write(chunk)
		if q.Len() > 3000 {
			q.Advance(q.Len() - 1500)
		}
	}
	held := 0
	for _, segment := range q.segments[:cap(q.segments)] {
		if segment.buffer != nil {
			held++
		}
	}
	if held > 2 {
		t.Errorf("%d buffers held for %d bytes", held, q.Len())
	}
}

func TestWriteBufferMovesTheBuffer(t *testing.T) {
	var s FreeList
	q := s.GetQueue()
	q.Write([]byte("a"))
	b := s.Get()
	b.B = append(b.B, "moved"...)
	q.WriteBuffer(b)
	q.Write([]byte("z"))
	slices := q.Slices(make([][]byte, 0, 8), 100)
	if len(slices) != 3 || &slices[1][0] != &b.B[0] {
		t.Errorf("slices %q: the buffer was copied, not moved", slices)
	}
	if got := drain(t, q); got != "amovedz" {
		t.Errorf("wrote %q", got)
	}
}

func tempFile(t *testing.T, content []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}
