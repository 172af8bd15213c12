package loop

import (
	"math/rand/v2"
	"testing"

	"github.com/eddynet/eddy/poller"
)

type fakeSource struct{ name int }

func (*fakeSource) ready(poller.Ready) {}
func (*fakeSource) end(error)          {}

func TestStaleTokenNeverMatches(t *testing.T) {
	var tab table
	var stale []poller.Token
	for i := range 1000 {
		s := &fakeSource{i}
		token := tab.add(s)
		if got := tab.lookup(token); got != s {
			t.Fatalf("use %d: lookup found %v", i, got)
		}
		for _, old := range stale {
			if old == token {
				t.Fatalf("use %d: token %x was given out before", i, old)
			}
			if got := tab.lookup(old); got != nil {
				t.Fatalf("use %d: stale token %x found %v", i, old, got)
			}
		}
		tab.remove(token)
		if got := tab.lookup(token); got != nil {
			t.Fatalf("use %d: removed token found %v", i, got)
		}
		stale = append(stale, token)
	}
}

func TestSlotsAreReused(t *testing.T) {
	var tab table
	first := tab.add(&fakeSource{1})
	tab.remove(first)
	second := tab.add(&fakeSource{2})
	if first.Slot() != second.Slot() {
		t.Errorf("slot %d after slot %d was freed", second.Slot(), first.Slot())
	}
	if first.Generation() == second.Generation() {
		t.Error("two uses of a slot share a generation")
	}
	for range 100_000 {
		tab.remove(tab.add(&fakeSource{}))
	}
	if len(tab.pages) != 1 {
		t.Errorf("%d pages for at most two entries", len(tab.pages))
	}
}

func TestGrowthKeepsEntries(t *testing.T) {
	const n = 5*pageSize + 3
	var tab table
	tokens := map[poller.Token]*fakeSource{}
	for i := range n {
		s := &fakeSource{i}
		token := tab.add(s)
		if tokens[token] != nil {
			t.Fatalf("entry %d: token %x is in use", i, token)
		}
		if int(token.Slot()) >= n {
			t.Fatalf("entry %d: slot %d: lower ones are free", i, token.Slot())
		}
		tokens[token] = s
	}
	for token, s := range tokens {
		if got := tab.lookup(token); got != s {
			t.Errorf("token %x: %v, want %v", token, got, s)
		}
	}
}

func TestTableAgainstModel(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var tab table
	live := map[poller.Token]source{}
	var all []poller.Token
	for i := range 20_000 {
		if len(all) == 0 || random.IntN(5) < 3 {
			s := &fakeSource{i}
			token := tab.add(s)
			live[token] = s
			all = append(all, token)
		} else if token := all[random.IntN(len(all))]; live[token] != nil {
			tab.remove(token)
			delete(live, token)
		}
		token := all[random.IntN(len(all))]
		if got := tab.lookup(token); got != live[token] {
			t.Fatalf("step %d: token %x: %v, want %v", i, token, got, live[token])
		}
	}
}

func TestConnsListsConnectionsOnly(t *testing.T) {
	var tab table
	a, b := &Conn{}, &Conn{}
	tab.add(&fakeSource{})
	tab.add(a)
	gone := tab.add(&Conn{})
	tab.add(&Acceptor{})
	tab.add(b)
	tab.remove(gone)
	if got := tab.conns(); len(got) != 2 || got[0] != a || got[1] != b {
		t.Errorf("conns %v, want the two that are there", got)
	}
}
