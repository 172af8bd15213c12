package loop

import "github.com/eddynet/eddy/poller"

// source is what a registration with the poller leads to.
type source interface {
	ready(r poller.Ready)
	end(cause error) // the loop ends
}

// pageSize is the number of slots that the table grows by: pages are never moved,
// so that growing costs no copy and leaves no garbage.
const pageSize = 256

// table maps the tokens of a loop's registrations to their sources. The
// generation of a slot is odd while it is in use, and a token carries the one of
// its own use: no token of an earlier use ever matches again.
type table struct {
	pages [][]entry
	freed []uint32 // slots free for use, the last used first
}

type entry struct {
	source     source
	generation uint32
}

// lookup returns nil for a token whose registration has ended.
func (t *table) lookup(token poller.Token) source {
	e := t.entry(token.Slot())
	if e.generation != token.Generation() {
		return nil
	}
	return e.source
}

func (t *table) entry(slot uint32) *entry {
	return &t.pages[slot/pageSize][slot%pageSize]
}

// add takes a free slot for s.
func (t *table) add(s source) poller.Token {
	if len(t.freed) == 0 {
		first := uint32(len(t.pages)) * pageSize
		t.pages = append(t.pages, make([]entry, pageSize))
		for slot := first + pageSize; slot > first; slot-- {
			t.freed = append(t.freed, slot-1)
		}
	}
	slot := t.freed[len(t.freed)-1]
	t.freed = t.freed[:len(t.freed)-1]
	e := t.entry(slot)
	e.source = s
	e.generation++
	return poller.NewToken(slot, e.generation)
}

// remove ends the use of the token's slot.
func (t *table) remove(token poller.Token) {
	e := t.entry(token.Slot())
	e.source = nil
	e.generation++
	t.freed = append(t.freed, token.Slot())
}

// sources lists what is registered, for what is done to all.
func (t *table) sources() []source {
	var all []source
	for _, page := range t.pages {
		for _, e := range page {
			if e.source != nil {
				all = append(all, e.source)
			}
		}
	}
	return all
}

// conns lists the connections among the sources.
func (t *table) conns() []*Conn {
	var all []*Conn
	for _, s := range t.sources() {
		if c, ok := s.(*Conn); ok {
			all = append(all, c)
		}
	}
	return all
}
