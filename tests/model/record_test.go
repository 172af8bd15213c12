package model

import (
	"encoding/binary"
	"fmt"
)

// source is the writer of a record. Each source numbers its records from 0.
type source byte

const (
	byTask  source = iota // a function posted with Ref.Do
	byRef                 // Ref.Write
	byInput               // OnData
	sources
)

const headSize = 12

// record returns the bytes of one write. The reader can compute every byte.
func record(conn int, by source, seq uint32, size int) []byte {
	p := make([]byte, headSize+size)
	p[0], p[1], p[2] = 0xE5, byte(conn), byte(by)
	binary.BigEndian.PutUint32(p[4:], seq)
	binary.BigEndian.PutUint32(p[8:], uint32(size))
	for i := range p[headSize:] {
		p[headSize+i] = byte(conn*7 + int(by)*13 + int(seq)*31 + i + i>>8)
	}
	return p
}

// reader parses records. Truncated, lost, repeated, reordered and foreign bytes are errors.
type reader struct {
	conn int
	rest []byte // the beginning of a record
	next [sources]uint32
}

func (r *reader) verify(p []byte) error {
	r.rest = append(r.rest, p...)
	for len(r.rest) >= headSize {
		by, size := source(r.rest[2]), int(binary.BigEndian.Uint32(r.rest[8:]))
		if by >= sources || size > 1<<24 {
			return fmt.Errorf("not a record: %x", r.rest[:headSize])
		}
		if len(r.rest) < headSize+size {
			return nil
		}
		want := record(r.conn, by, r.next[by], size)
		if got := r.rest[:len(want)]; string(got) != string(want) {
			return fmt.Errorf("record %x…, want %x…", got[:headSize], want[:headSize])
		}
		r.next[by]++
		r.rest = r.rest[headSize+size:]
	}
	return nil
}

// inputByte is the byte that a client sends at an offset.
func inputByte(conn int, offset int64) byte { return byte(offset*31 + offset>>8 + int64(conn)*17) }

func input(conn int, offset int64, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = inputByte(conn, offset+int64(i))
	}
	return p
}
