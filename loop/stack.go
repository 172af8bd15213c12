package loop

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
)

// goroutinesMost is how many goroutines a program may have for the stack of one of
// them to be taken: all of the program stands still meanwhile, a few microseconds for
// each of them.
const goroutinesMost = 5000

// goroutineID is the number of the calling goroutine, as the runtime prints it.
func goroutineID() int64 {
	var buf [64]byte
	text := buf[:runtime.Stack(buf[:], false)]
	text = bytes.TrimPrefix(text, []byte("goroutine "))
	number, _, _ := bytes.Cut(text, []byte(" "))
	id, _ := strconv.ParseInt(string(number), 10, 64) // 0, which no goroutine has, if the format changes
	return id
}

// stackOf is the stack of a goroutine, or why there is none.
func stackOf(id int64) string {
	if n := runtime.NumGoroutine(); n > goroutinesMost {
		return fmt.Sprintf("not taken: it would stop all %d goroutines for too long", n)
	}
	head := fmt.Appendf(nil, "goroutine %d [", id)
	for size := 64 << 10; size <= 16<<20; size *= 4 {
		all := make([]byte, size)
		n := runtime.Stack(all, true)
		for stack := range bytes.SplitSeq(all[:n], []byte("\n\n")) {
			if bytes.HasPrefix(stack, head) {
				return string(stack)
			}
		}
		if n < size {
			break // these were all
		}
	}
	return "not found"
}
