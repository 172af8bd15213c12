// Package slots maps tokens of a poller to values.
package slots

import "github.com/eddynet/eddy/poller"

// pageSize is the number of slots that the table grows by: pages are never moved,
// so that growing costs no copy and leaves no garbage.
const pageSize = 256

// Table maps tokens to values. The generation of a slot is odd while it is in use, and a
// token carries the one of its own use: no token of an earlier use ever matches again. It
// belongs to one goroutine.
type Table[V any] struct {
	pages [][]entry[V]
	freed []uint32 // slots free for use, the last used first
}

type entry[V any] struct {
	value      V
	generation uint32
}

// Lookup returns the zero value for a token that was removed.
func (t *Table[V]) Lookup(token poller.Token) (v V) {
	e := t.entry(token.Slot())
	if e.generation != token.Generation() {
		return v
	}
	return e.value
}

func (t *Table[V]) entry(slot uint32) *entry[V] {
	return &t.pages[slot/pageSize][slot%pageSize]
}

// Add gives v a free slot.
func (t *Table[V]) Add(v V) poller.Token {
	if len(t.freed) == 0 {
		first := uint32(len(t.pages)) * pageSize
		t.pages = append(t.pages, make([]entry[V], pageSize))
		for slot := first + pageSize; slot > first; slot-- {
			t.freed = append(t.freed, slot-1)
		}
	}
	slot := t.freed[len(t.freed)-1]
	t.freed = t.freed[:len(t.freed)-1]
	e := t.entry(slot)
	e.value = v
	e.generation++
	return poller.NewToken(slot, e.generation)
}

// Remove ends the use of the token's slot.
func (t *Table[V]) Remove(token poller.Token) {
	e := t.entry(token.Slot())
	*e = entry[V]{generation: e.generation + 1}
	t.freed = append(t.freed, token.Slot())
}

// All lists the values, a copy.
func (t *Table[V]) All() []V {
	var all []V
	for _, page := range t.pages {
		for _, e := range page {
			if e.generation%2 != 0 {
				all = append(all, e.value)
			}
		}
	}
	return all
}
