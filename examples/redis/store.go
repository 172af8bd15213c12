package main

import (
	"hash/maphash"
	"sync"

	"github.com/eddynet/eddy"
)

// store is shared by all loops. It has shards with separate mutexes, so that loops
// seldom contend.
type store struct {
	seed   maphash.Seed
	shards [64]shard
}

type shard struct {
	mu     sync.Mutex
	values map[string]*value // guarded by mu
}

// value is replaced in place, so that setting a key again allocates nothing.
type value struct{ bytes []byte }

func newStore() *store {
	s := &store{seed: maphash.MakeSeed()}
	for i := range s.shards {
		s.shards[i].values = map[string]*value{}
	}
	return s
}

func (s *store) shard(key []byte) *shard {
	return &s.shards[maphash.Bytes(s.seed, key)%uint64(len(s.shards))]
}

// set copies key and data.
func (s *store) set(key, data []byte) {
	h := s.shard(key)
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.values[string(key)]
	if v == nil {
		v = &value{}
		h.values[string(key)] = v
	}
	if cap(v.bytes) > 2*len(data)+64 {
		v.bytes = nil // frees an oversized array
	}
	v.bytes = append(v.bytes[:0], data...)
}

// appendBulk appends the value as a bulk string. It returns false without one.
func (s *store) appendBulk(out *eddy.Buffer, key []byte) bool {
	h := s.shard(key)
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.values[string(key)]
	if v != nil {
		writeBulk(out, v.bytes)
	}
	return v != nil
}

// remove deletes the keys. It returns the number of those that existed.
func (s *store) remove(keys [][]byte) (n int) {
	for _, key := range keys {
		h := s.shard(key)
		h.mu.Lock()
		if _, ok := h.values[string(key)]; ok {
			delete(h.values, string(key))
			n++
		}
		h.mu.Unlock()
	}
	return n
}
