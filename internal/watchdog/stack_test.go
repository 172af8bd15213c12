package watchdog

import (
	"strings"
	"testing"
)

func TestStackOfAGoroutine(t *testing.T) {
	if own := Stack(GoroutineID()); !strings.Contains(own, "TestStackOfAGoroutine") {
		t.Errorf("own stack: %s", own)
	}
	if none := Stack(-1); none != "not found" {
		t.Errorf("of no goroutine: %s", none)
	}
	id, end := make(chan int64), make(chan struct{})
	defer close(end)
	for range 200 { // more than one buffer full
		go parked(end)
	}
	go func() {
		id <- GoroutineID()
		parked(end)
	}()
	if other := Stack(<-id); !strings.Contains(other, "TestStackOfAGoroutine.func") {
		t.Errorf("another's stack: %s", other)
	}
}

func TestStackIsNotTakenOfACrowd(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	for range maxGoroutines {
		go parked(end)
	}
	if got := Stack(GoroutineID()); !strings.Contains(got, "not taken") {
		t.Errorf("got %s", got)
	}
}

func parked(end <-chan struct{}) { <-end }
