package httpparse

import (
	"os"
	"syscall"
	"testing"
)

// guarded returns message at the very end of a page after which no memory may be touched.
func guarded(t *testing.T, message string) []byte {
	t.Helper()
	page := os.Getpagesize()
	room := (len(message) + page - 1) / page * page
	memory, err := syscall.Mmap(-1, 0, room+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(memory) })
	if err := syscall.Mprotect(memory[room:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	start := room - len(message)
	copy(memory[start:room], message)
	return memory[start:room] // its capacity reaches into the guard page
}

func TestNothingIsReadAfterTheInput(t *testing.T) {
	chunks := "5;a=\"b\"\r\nhello\r\n0\r\nX: 1\r\n\r\n"
	answer := "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
	for _, message := range []string{kittyRequest, plaintextRequest, browserRequest, chunks, answer} {
		for have := range len(message) + 1 {
			buf := guarded(t, message[:have])
			var r Request
			r.Parse(buf, nil)
			var response Response
			response.Parse(buf, "GET", nil)
			var trailer Trailer
			trailer.Parse(buf, nil)
			var d Chunked
			for in := buf; len(in) > 0; {
				_, n, err := d.Next(in, nil)
				if in = in[n:]; err != nil || n == 0 {
					break
				}
			}
		}
	}
}
