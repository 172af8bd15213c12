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

func TestFunctionsOfAStack(t *testing.T) {
	const stack = `goroutine 9 [sleep]:
runtime.gopark(0x1, 0x2)
	/go/src/runtime/proc.go:1 +0x1
time.Sleep(0x3b9aca00)
	/go/src/runtime/time.go:338 +0x165
example.org/shop/cart.(*Handler).load(...)
	/shop/cart/load.go:7
example.org/engine.(*Conn).deliver(0xc000, {0x1, 0x2})
	/engine/input.go:20 +0x30
`
	for prefix, want := range map[string]string{
		"example.org/engine.": "time.Sleep cart.(*Handler).load",
		"example.org/other.":  "time.Sleep cart.(*Handler).load engine.(*Conn).deliver",
		"time.":               "",
	} {
		if got := strings.Join(Functions(stack, prefix), " "); got != want {
			t.Errorf("up to %s: %s, want %s", prefix, got, want)
		}
	}
	if got := Functions("not found", ""); got != nil {
		t.Errorf("of no stack: %v", got)
	}
}
