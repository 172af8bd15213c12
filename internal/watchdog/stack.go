package watchdog

import (
	"bytes"
	"fmt"
	"path"
	"runtime"
	"strconv"
	"strings"
)

// maxGoroutines is how many goroutines a program may have for the stack of one of
// them to be taken: all of the program stands still meanwhile, more than a microsecond
// for each of them.
const maxGoroutines = 5000

// stackSize is how many bytes most stacks take as text.
const stackSize = 2 << 10

// GoroutineID is the number of the calling goroutine, as the runtime prints it.
func GoroutineID() int64 {
	var buf [64]byte
	text := buf[:runtime.Stack(buf[:], false)]
	text = bytes.TrimPrefix(text, []byte("goroutine "))
	number, _, _ := bytes.Cut(text, []byte(" "))
	id, _ := strconv.ParseInt(string(number), 10, 64) // 0, which no goroutine has, if the format changes
	return id
}

// Stack is the stack of a goroutine, or why there is none.
func Stack(id int64) string {
	goroutines := runtime.NumGoroutine()
	if goroutines > maxGoroutines {
		return fmt.Sprintf("not taken: it would stop all %d goroutines for too long", goroutines)
	}
	head := fmt.Appendf(nil, "goroutine %d [", id)
	all := make([]byte, 64<<10+goroutines*stackSize)
	all = all[:runtime.Stack(all, true)]
	for stack := range bytes.SplitSeq(all, []byte("\n\n")) {
		if bytes.HasPrefix(stack, head) {
			return string(stack)
		}
	}
	return "not found"
}

// Functions are the functions in a stack, innermost first, without those of the runtime and
// without the folders of their packages. They end before the first one of the package.
func Functions(stack, packagePrefix string) (names []string) {
	_, frames, _ := strings.Cut(stack, "\n")
	for line := range strings.Lines(frames) {
		if strings.HasPrefix(line, packagePrefix) {
			return names
		}
		arguments := strings.LastIndex(line, "(")
		if arguments >= 0 && !strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "runtime.") {
			names = append(names, path.Base(line[:arguments]))
		}
	}
	return names
}
