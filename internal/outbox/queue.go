package outbox

import (
	"io"
	"os"

	"github.com/eddynet/eddy/buffers"
)

// chunkSize is the number of bytes that are copied into one buffer before the next is used: a single one would be
// copied again and again as it grows, and become too large to be kept.
const chunkSize = buffers.MaxKept / 2

// maxSegmentsKept bounds the segment array of an empty queue that is kept.
const maxSegmentsKept = 64

// Queue is the output of a connection that the kernel has not accepted yet: copied bytes, owned slices and file
// ranges, in order, of which a prefix may have been written. It belongs to one goroutine. A connection has a queue
// only while it has output.
type Queue struct {
	free     *FreeList
	segments []segment // segments[:first] are written
	first    int
	sealed   int64           // bytes of segments[first:]
	tail     *buffers.Buffer // after the segments; most responses use nothing else; nil if there is none
	written  int64           // written bytes of the head, which is segments[first], or else tail

	// Noted is for the owner: the part of Len that it has accounted for. PutQueue resets it.
	Noted int64
}

// segment is a pooled buffer, an owned slice, or a file range.
type segment struct {
	bytes   []byte
	buffer  *buffers.Buffer // owner of bytes, if pooled
	file    *os.File
	offset  int64 // of the file range
	length  int64 // of the file range
	release func()
}

// size is the segment's length in bytes, of which some may be written.
func (s *segment) size() int64 { return int64(len(s.bytes)) + s.length }

// Len returns the number of bytes that are not written yet.
func (q *Queue) Len() int64 {
	n := q.sealed - q.written
	if q.tail != nil {
		n += int64(len(q.tail.B))
	}
	return n
}

// Tail returns the buffer at the end of the queue, to append to. The queue keeps the ownership: the buffer is valid
// until the next call of a method of q.
func (q *Queue) Tail() *buffers.Buffer {
	if q.tail != nil && len(q.tail.B) >= chunkSize {
		q.seal()
	}
	if q.tail == nil {
		q.tail = q.free.Get()
	}
	return q.tail
}

// Write copies p to the end of the queue.
func (q *Queue) Write(p []byte) {
	for len(p) > 0 {
		b := q.Tail()
		n := min(len(p), chunkSize-len(b.B))
		b.B = append(b.B, p[:n]...)
		p = p[n:]
	}
}

// WriteBuffer moves b to the end of the queue, which owns it from then on.
func (q *Queue) WriteBuffer(b *buffers.Buffer) { q.add(segment{bytes: b.B, buffer: b}) }

// WriteOwned puts p at the end of the queue without copying. p must not change until release is called, which
// happens once, when p is written or discarded. release may be nil.
func (q *Queue) WriteOwned(p []byte, release func()) { q.add(segment{bytes: p, release: release}) }

// WriteFile puts the range of length bytes at offset at the end of the queue. The file must stay open until release
// is called, as in WriteOwned.
func (q *Queue) WriteFile(f *os.File, offset, length int64, release func()) {
	q.add(segment{file: f, offset: offset, length: length, release: release})
}

func (q *Queue) add(s segment) {
	q.seal()
	q.push(s)
	q.Advance(0) // an empty segment is done at once
}

// push appends s. A full array is compacted first: that of a stream whose queue is never empty would grow
// indefinitely.
func (q *Queue) push(s segment) {
	if q.first > 0 && len(q.segments) == cap(q.segments) {
		n := copy(q.segments, q.segments[q.first:])
		clear(q.segments[n:])
		q.segments = q.segments[:n]
		q.first = 0
	}
	q.segments = append(q.segments, s)
	q.sealed += s.size()
}

// seal makes the tail a segment.
func (q *Queue) seal() {
	switch b := q.tail; {
	case b == nil:
	case len(b.B) == 0:
		q.dropTail()
	default:
		q.tail = nil
		q.push(segment{bytes: b.B, buffer: b})
	}
}

// Slices appends to dst the leading byte slices up to the first file range, at most cap(dst) slices and limit bytes.
// They stay valid until Advance.
func (q *Queue) Slices(dst [][]byte, limit int64) [][]byte {
	skip := q.written
	for i := q.first; i < len(q.segments) && limit > 0 && len(dst) < cap(dst); i++ {
		s := &q.segments[i]
		if s.file != nil {
			return dst
		}
		dst, limit = appendSlice(dst, s.bytes[skip:], limit)
		skip = 0
	}
	if q.tail != nil {
		dst, _ = appendSlice(dst, q.tail.B[skip:], limit)
	}
	return dst
}

// appendSlice appends p to dst, within its capacity, and returns the remaining limit.
func appendSlice(dst [][]byte, p []byte, limit int64) ([][]byte, int64) {
	if int64(len(p)) > limit {
		p = p[:limit]
	}
	if len(p) == 0 || len(dst) == cap(dst) {
		return dst, limit
	}
	return append(dst, p), limit - int64(len(p))
}

// File returns the unwritten part of the file range at the head of the queue. f is nil when the head has bytes.
func (q *Queue) File() (f *os.File, offset, length int64) {
	if q.first == len(q.segments) {
		return nil, 0, 0
	}
	s := &q.segments[q.first]
	return s.file, s.offset + q.written, s.length - q.written
}

// Advance removes n written bytes from the head and releases the segments that are complete.
func (q *Queue) Advance(n int64) {
	for q.first < len(q.segments) {
		s := &q.segments[q.first]
		size := s.size()
		step := min(n, size-q.written)
		q.written += step
		n -= step
		if q.written < size {
			return
		}
		q.sealed -= size
		q.written = 0
		q.first++
		q.done(s)
	}
	q.segments = q.segments[:0]
	q.first = 0
	if q.tail == nil {
		return
	}
	if q.written += n; q.written == int64(len(q.tail.B)) {
		q.written = 0
		q.dropTail()
	}
}

func (q *Queue) dropTail() {
	q.free.Put(q.tail)
	q.tail = nil
}

// done releases the content of a segment. The release function is called last: it may write to the queue.
func (q *Queue) done(s *segment) {
	buffer, release := s.buffer, s.release
	*s = segment{}
	if buffer != nil {
		q.free.Put(buffer)
	}
	if release != nil {
		release()
	}
}

// discard releases everything unwritten, including the output of release functions.
func (q *Queue) discard() {
	for q.first < len(q.segments) || q.tail != nil {
		q.Advance(q.Len())
	}
}

// ReleaseBy makes call run the release functions.
func (q *Queue) ReleaseBy(call func(release func())) {
	for i := q.first; i < len(q.segments); i++ {
		if release := q.segments[i].release; release != nil {
			q.segments[i].release = func() { call(release) }
		}
	}
}

// WriteTo writes everything to w and releases it. Another goroutine than the owner's may call it, if the owner has
// given up the queue.
func (q *Queue) WriteTo(w io.Writer) (written int64, err error) {
	q.free = &FreeList{} // the loop's belongs to its goroutine
	defer q.discard()
	for err == nil && q.Len() > 0 {
		var n int64
		if f, offset, length := q.File(); f != nil {
			n, err = io.Copy(w, io.NewSectionReader(f, offset, length))
			if err == nil && n < length {
				err = io.ErrUnexpectedEOF
			}
		} else {
			var m int
			m, err = w.Write(q.Slices(make([][]byte, 0, 1), q.Len())[0])
			n = int64(m)
		}
		q.Advance(n)
		written += n
	}
	return written, err
}
