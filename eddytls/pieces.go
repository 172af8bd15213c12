package eddytls

import "github.com/eddynet/eddy/buffers"

const (
	recordSize = 16 << 10       // bytes of output in a record, at most
	pieceSize  = 4 * recordSize // sealed before it is passed on
)

var (
	gathered = buffers.NewPool(recordSize)
	sealed   = buffers.NewPool(pieceSize + recordSize) // records of a piece, with what they add
)

// pieces cuts output into pieces for crypto/tls: small slices are gathered, so that they
// share a record; a part of a large one is used in place.
type pieces struct {
	slices [][]byte
	offset int             // in the first one
	buffer *buffers.Buffer // of gathered slices; nil if none was needed
}

// next returns the next piece, which is valid until the next call; it is empty at the end.
func (s *pieces) next() []byte {
	first := s.rest()
	switch {
	case len(first) >= recordSize:
		p := first[:min(len(first), pieceSize)]
		s.offset += len(p)
		return p
	case len(s.slices) <= 1:
		s.offset += len(first)
		return first
	}
	if s.buffer == nil {
		s.buffer = gathered.Get()
	}
	b := s.buffer.B[:0]
	for len(b) < recordSize {
		p := s.rest()
		if len(p) == 0 {
			break
		}
		p = p[:min(len(p), recordSize-len(b))]
		b = append(b, p...)
		s.offset += len(p)
	}
	s.buffer.B = b
	return b
}

// rest is the rest of the first slice that has any.
func (s *pieces) rest() []byte {
	for len(s.slices) > 0 {
		if p := s.slices[0][s.offset:]; len(p) > 0 {
			return p
		}
		s.slices, s.offset = s.slices[1:], 0
	}
	return nil
}

func (s *pieces) free() {
	if s.buffer != nil {
		gathered.Put(s.buffer)
	}
}
