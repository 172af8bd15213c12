package slots

import (
	"math/rand/v2"
	"testing"

	"github.com/eddynet/eddy/poller"
)

type fakeSource struct{ name int }

func TestStaleTokenNeverMatches(t *testing.T) {
	var tab Table[*fakeSource]
	var stale []poller.Token
	for i := range 1000 {
		s := &fakeSource{i}
		token := tab.Add(s)
		if got := tab.Lookup(token); got != s {
			t.Fatalf("use %d: lookup found %v", i, got)
		}
		for _, old := range stale {
			if old == token {
				t.Fatalf("use %d: token %x was given out before", i, old)
			}
			if got := tab.Lookup(old); got != nil {
				t.Fatalf("use %d: stale token %x found %v", i, old, got)
			}
		}
		tab.Remove(token)
		if got := tab.Lookup(token); got != nil {
			t.Fatalf("use %d: removed token found %v", i, got)
		}
		stale = append(stale, token)
	}
}

func TestSlotsAreReused(t *testing.T) {
	var tab Table[*fakeSource]
	first := tab.Add(&fakeSource{1})
	tab.Remove(first)
	second := tab.Add(&fakeSource{2})
	if first.Slot() != second.Slot() {
		t.Errorf("slot %d after slot %d was freed", second.Slot(), first.Slot())
	}
	if first.Generation() == second.Generation() {
		t.Error("two uses of a slot share a generation")
	}
	for range 100_000 {
		tab.Remove(tab.Add(&fakeSource{}))
	}
	if len(tab.pages) != 1 {
		t.Errorf("%d pages for at most two entries", len(tab.pages))
	}
}

func TestGrowthKeepsEntries(t *testing.T) {
	const n = 5*pageSize + 3
	var tab Table[*fakeSource]
	tokens := map[poller.Token]*fakeSource{}
	for i := range n {
		s := &fakeSource{i}
		token := tab.Add(s)
		if tokens[token] != nil {
			t.Fatalf("entry %d: token %x is in use", i, token)
		}
		if int(token.Slot()) >= n {
			t.Fatalf("entry %d: slot %d: lower ones are free", i, token.Slot())
		}
		tokens[token] = s
	}
	for token, s := range tokens {
		if got := tab.Lookup(token); got != s {
			t.Errorf("token %x: %v, want %v", token, got, s)
		}
	}
}

func TestTableAgainstModel(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var tab Table[*fakeSource]
	live := map[poller.Token]*fakeSource{}
	var all []poller.Token
	for i := range 20_000 {
		if len(all) == 0 || random.IntN(5) < 3 {
			s := &fakeSource{i}
			token := tab.Add(s)
			live[token] = s
			all = append(all, token)
		} else if token := all[random.IntN(len(all))]; live[token] != nil {
			tab.Remove(token)
			delete(live, token)
		}
		token := all[random.IntN(len(all))]
		if got := tab.Lookup(token); got != live[token] {
			t.Fatalf("step %d: token %x: %v, want %v", i, token, got, live[token])
		}
	}
}

func TestAllListsWhatIsThere(t *testing.T) {
	var tab Table[*fakeSource]
	a, b := &fakeSource{1}, &fakeSource{2}
	tab.Add(a)
	gone := tab.Add(&fakeSource{3})
	tab.Add(b)
	tab.Remove(gone)
	if got := tab.All(); len(got) != 2 || got[0] != a || got[1] != b {
		t.Errorf("got %v, want the two that are there", got)
	}
}
