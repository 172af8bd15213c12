package buffers

import (
	"io"
	"os"
)

// chunkSize is how many bytes are copied into one buffer before the next is
// begun: growing a single one would copy what it holds again and again, and
// leave an oversize buffer behind.
const chunkSize = MaxKept / 2

// maxSegmentsKept bounds the segment array that an emptied queue keeps.
const maxSegmentsKept = 64

// Queue is the output that a connection owes its peer: copied bytes, owned
// slices and file ranges, in order, of which a prefix may have been written. It
// belongs to one goroutine. A connection has a queue only while it has output.
type Queue struct {
	spare    *Spare
	segments []segment // segments[:first] are written
	first    int
	sealed   int64   // bytes of segments[first:]
	tail     *Buffer // behind the segments, and the whole queue of most answers; nil if there is none
	written  int64   // bytes of the head that are written: of segments[first], or else of tail

	// Noted is the owner's own, for what of Len it has accounted for. PutQueue unsets it.
	Noted int64
}

// segment is one of: a pooled buffer, an owned slice, a file range.
type segment struct {
	buffer  *Buffer
	bytes   []byte
	file    *os.File
	offset  int64 // of the file range
	length  int64 // of the file range
	release func()
}

// size is the segment's length in bytes, of which some may be written.
func (s *segment) size() int64 {
	switch {
	case s.buffer != nil:
		return int64(len(s.buffer.B))
	case s.file != nil:
		return s.length
	}
	return int64(len(s.bytes))
}

// NewQueue returns an empty queue that takes its buffers from spare.
func (s *Spare) NewQueue() *Queue {
	last := len(s.queues) - 1
	if last < 0 {
		return &Queue{spare: s}
	}
	q := s.queues[last]
	s.queues[last] = nil
	s.queues = s.queues[:last]
	return q
}

// PutQueue gives up the ownership of q and releases all that it still holds.
func (s *Spare) PutQueue(q *Queue) {
	q.discard()
	q.Noted = 0
	if len(s.queues) < spares && cap(q.segments) <= maxSegmentsKept {
		s.queues = append(s.queues, q)
	}
}

// Len is the number of bytes that are not written yet.
func (q *Queue) Len() int64 {
	n := q.sealed - q.written
	if q.tail != nil {
		n += int64(len(q.tail.B))
	}
	return n
}

// Tail returns the buffer at the end of the queue, to append to. It is valid
// until the next call of a method of q, which still owns it.
func (q *Queue) Tail() *Buffer {
	if q.tail != nil && len(q.tail.B) >= chunkSize {
		q.seal()
	}
	if q.tail == nil {
		q.tail = q.spare.Get()
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

// WriteBuffer moves b to the end of the queue, which owns it from now on.
func (q *Queue) WriteBuffer(b *Buffer) {
	q.add(segment{buffer: b}, int64(len(b.B)))
}

// WriteOwned puts p itself at the end of the queue. p must not change until
// release is called, which happens once, when p is written or discarded. A nil
// release is allowed.
func (q *Queue) WriteOwned(p []byte, release func()) {
	q.add(segment{bytes: p, release: release}, int64(len(p)))
}

// WriteFile puts the range of length bytes at offset at the end of the queue.
// The file must stay open until release is called, as in WriteOwned.
func (q *Queue) WriteFile(f *os.File, offset, length int64, release func()) {
	q.add(segment{file: f, offset: offset, length: length, release: release}, length)
}

func (q *Queue) add(s segment, n int64) {
	q.seal()
	q.push(s)
	q.sealed += n
	q.Advance(0) // an empty segment is done at once
}

// push appends s, in the place of written segments when the array is full: a
// stream whose queue never runs empty would let it grow for ever.
func (q *Queue) push(s segment) {
	if q.first > 0 && len(q.segments) == cap(q.segments) {
		n := copy(q.segments, q.segments[q.first:])
		clear(q.segments[n:])
		q.segments = q.segments[:n]
		q.first = 0
	}
	q.segments = append(q.segments, s)
}

// seal makes the tail a segment: what comes next starts another.
func (q *Queue) seal() {
	switch b := q.tail; {
	case b == nil:
	case len(b.B) == 0:
		q.dropTail()
	default:
		q.tail = nil
		q.push(segment{buffer: b})
		q.sealed += int64(len(b.B))
	}
}

// Slices appends to dst the leading byte slices up to the first file range, at
// most cap(dst) slices and limit bytes. They stay valid until Advance.
func (q *Queue) Slices(dst [][]byte, limit int64) [][]byte {
	skip := q.written
	for i := q.first; i < len(q.segments) && limit > 0 && len(dst) < cap(dst); i++ {
		s := &q.segments[i]
		if s.file != nil {
			return dst
		}
		p := s.bytes
		if s.buffer != nil {
			p = s.buffer.B
		}
		dst, limit = appendSlice(dst, p[skip:], limit)
		skip = 0
	}
	if q.tail != nil {
		dst, _ = appendSlice(dst, q.tail.B[skip:], limit)
	}
	return dst
}

// appendSlice appends p to dst, if there is room, and returns what is left of limit.
func appendSlice(dst [][]byte, p []byte, limit int64) ([][]byte, int64) {
	if int64(len(p)) > limit {
		p = p[:limit]
	}
	if len(p) == 0 || len(dst) == cap(dst) {
		return dst, limit
	}
	return append(dst, p), limit - int64(len(p))
}

// File returns what is left of the file range at the head of the queue, or a nil
// file when bytes stand there.
func (q *Queue) File() (f *os.File, offset, length int64) {
	if q.first == len(q.segments) {
		return nil, 0, 0
	}
	s := &q.segments[q.first]
	return s.file, s.offset + q.written, s.length - q.written
}

// Advance takes n written bytes off the head and releases the segments that are
// done.
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
	q.spare.Put(q.tail)
	q.tail = nil
}

// done releases what a segment holds. The release function comes last, since it
// may write to the queue.
func (q *Queue) done(s *segment) {
	buffer, release := s.buffer, s.release
	*s = segment{}
	if buffer != nil {
		q.spare.Put(buffer)
	}
	if release != nil {
		release()
	}
}

// discard releases everything unwritten.
func (q *Queue) discard() {
	for q.first < len(q.segments) {
		q.first++
		q.done(&q.segments[q.first-1])
	}
	if q.tail != nil {
		q.dropTail()
	}
	q.segments, q.first = q.segments[:0], 0
	q.sealed, q.written = 0, 0
}

// ReleaseBy has call run the release functions, wherever the queue is written.
func (q *Queue) ReleaseBy(call func(release func())) {
	for i := q.first; i < len(q.segments); i++ {
		if release := q.segments[i].release; release != nil {
			q.segments[i].release = func() { call(release) }
		}
	}
}

// WriteTo writes everything to w, and releases it. It may be called on another
// goroutine than the owner's before, if that has given the queue up.
func (q *Queue) WriteTo(w io.Writer) (written int64, err error) {
	q.spare = &Spare{} // the loop's own is not for other goroutines
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
