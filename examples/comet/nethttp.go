package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// hall is the room on net/http: each client has a waiting goroutine.
type hall struct {
	mu   sync.Mutex
	n    int           // guarded by mu
	text string        // guarded by mu: the last notification
	news chan struct{} // guarded by mu: closed by the next notification
}

func serveNetHTTP(ctx context.Context, listen string) error {
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf("http://%v/\n", ln.Addr())
	h := &hall{news: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("/wait", h.wait)
	mux.HandleFunc("/count", h.count)
	mux.HandleFunc("POST /notify", h.notify)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 30 * time.Second}
	drained := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		h.release("")
		limit, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		drained <- server.Shutdown(limit)
	})
	if err := server.Serve(ln); err != http.ErrServerClosed {
		return err
	}
	return <-drained
}

func (h *hall) wait(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	news := h.news
	h.n++
	h.mu.Unlock()
	select {
	case <-news:
		h.mu.Lock()
		text := h.text
		h.mu.Unlock()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, text)
	case <-r.Context().Done():
		h.mu.Lock()
		h.n--
		h.mu.Unlock()
	}
}

func (h *hall) notify(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20))
	if err != nil {
		return
	}
	fmt.Fprintln(w, h.release(string(text)))
}

// release sends text to all waiting clients. It returns their number.
func (h *hall) release(text string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := h.n
	h.n, h.text = 0, text
	close(h.news)
	h.news = make(chan struct{})
	releaseMemory(n)
	return n
}

func (h *hall) count(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fmt.Fprintln(w, h.n)
}
