//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddynet/eddy/bench/sample"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// measured runs the load generator with command-line arguments.
func measured(t *testing.T, address, args string) sample.Sample {
	t.Helper()
	var out bytes.Buffer
	all := append(strings.Fields(args), "-address", address, "-warm", "5ms", "-duration", "5s")
	if err := run(all, strings.NewReader(""), &out); err != nil {
		t.Fatal(err)
	}
	var s sample.Sample
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// web is a net/http server that counts its connections and requests.
type web struct {
	*httptest.Server
	address     string
	connections atomic.Int64
	requests    atomic.Int64
}

func newWeb(t *testing.T, handler http.HandlerFunc) *web {
	w := &web{}
	w.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.requests.Add(1)
		handler(out, r)
	}))
	w.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			w.connections.Add(1)
		}
	}
	w.Start()
	t.Cleanup(w.Close)
	w.address = w.Listener.Addr().String()
	return w
}

func hello(w http.ResponseWriter, r *http.Request) {
	n, _ := io.Copy(io.Discard, r.Body) // the response has the count
	io.WriteString(w, strconv.FormatInt(n, 10))
}

func expectAnswers(t *testing.T, s sample.Sample, least int64) {
	t.Helper()
	if s.Requests < least || s.Total < s.Requests || s.Errors.Sum() != 0 {
		t.Errorf("%d requests, %d in all, errors: %v; want %d at least", s.Requests, s.Total, s.Errors, least)
	}
	if s.P50 <= 0 || s.P50 > s.P99 || s.P99 > s.Max {
		t.Errorf("latencies %v, %v, %v", s.P50, s.P99, s.Max)
	}
}

func TestClosedLoop(t *testing.T) {
	w := newWeb(t, hello)
	s := measured(t, w.address, "-connections 8 -holders 5 -requests 200 -pid "+strconv.Itoa(os.Getpid()))
	expectAnswers(t, s, 200)
	if n := w.connections.Load(); n != 13 {
		t.Errorf("%d connections, want 13", n)
	}
	if s.CPU <= 0 || s.RSS < 1<<20 {
		t.Errorf("processor time %v, memory %d", s.CPU, s.RSS)
	}
}

func TestPipelinedBodies(t *testing.T) {
	w := newWeb(t, hello)
	expectAnswers(t, measured(t, w.address, "-connections 2 -pipeline 16 -method POST -body 100 -requests 320"), 320)
}

func TestConnectionsEndAfterTheirRequests(t *testing.T) {
	w := newWeb(t, hello)
	s := measured(t, w.address, "-connections 4 -per-connection 5 -requests 100")
	expectAnswers(t, s, 100)
	if n, least := w.connections.Load(), s.Total/5; n < least || n > least+5 {
		t.Errorf("%d connections for %d requests, want one for 5", n, s.Total)
	}
}

func TestAwaitWaitsForTheParent(t *testing.T) {
	w := newWeb(t, hello)
	toLoad, start := io.Pipe()
	said, fromLoad := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		args := "-connections 3 -warm 0 -duration 5s -requests 30 -await -drain -hold -address " + w.address
		ended <- run(strings.Fields(args), toLoad, fromLoad)
	}()
	out := bufio.NewReader(said)
	if line, err := out.ReadString('\n'); line != "connected\n" || err != nil {
		t.Fatal(line, err)
	}
	if n := w.connections.Load(); n != 3 {
		t.Errorf("%d connections when all should be made, want 3", n)
	}
	before := w.requests.Load()
	if before != 3 {
		t.Errorf("%d requests before the start, want one per connection", before)
	}
	start.Write([]byte{'\n'})
	var s sample.Sample
	if err := json.NewDecoder(out).Decode(&s); err != nil {
		t.Fatal(err)
	}
	if n := w.requests.Load() - before; s.Requests != n || n < 30 {
		t.Errorf("%d requests are counted, the server received %d", s.Requests, n)
	}
	start.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestDrainingCountsAllAnswers(t *testing.T) {
	for _, args := range []string{"-pipeline 4", "-per-connection 1", "-per-connection 3", "-rate 2000"} {
		w := newWeb(t, hello)
		s := measured(t, w.address, "-connections 8 -requests 50 -drain "+args)
		expectAnswers(t, s, 50)
		if n := w.requests.Load(); s.Total != n {
			t.Errorf("%s: %d requests are counted, the server received %d", args, s.Total, n)
		}
	}
}

func TestOpenLoopKeepsItsRate(t *testing.T) {
	w := newWeb(t, hello)
	start := time.Now()
	s := measured(t, w.address, "-connections 4 -rate 1000 -requests 100")
	expectAnswers(t, s, 100)
	const introductions = 4 // one request per connection before the rate applies
	if passed := time.Since(start); s.Total-introductions > passed.Milliseconds()+1 {
		t.Errorf("%d requests at 1000 per second took only %v", s.Total, passed)
	}
}

func TestLatencyOfRareRequestsIsNotCounted(t *testing.T) {
	var rare atomic.Int64
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/rare" {
			rare.Add(1)
			time.Sleep(time.Second)
		}
		hello(w, r)
	})
	s := measured(t, w.address, "-connections 8 -rare-path /rare -requests 550 -drain")
	expectAnswers(t, s, 550)
	if got, want := rare.Load(), (w.requests.Load()-8)/100; got != want {
		t.Errorf("%d requests were rare, want %d of %d", got, want, w.requests.Load())
	}
	if s.Max >= time.Second {
		t.Errorf("latency of %v is that of a rare request", s.Max)
	}
}

func TestSlowReadersStay(t *testing.T) {
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/big" {
			w.Header().Set("Content-Length", strconv.Itoa(10<<20))
			w.Write(make([]byte, 10<<20))
			return
		}
		hello(w, r)
	})
	expectAnswers(t, measured(t, w.address, "-connections 1 -slow 3 -slow-path /big -slow-rate 1000 -rate 500 -requests 150"), 150)
}

func TestOtherAnswersVoidTheRun(t *testing.T) {
	var requests atomic.Int64
	w := newWeb(t, func(out http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) > 20 {
			out.WriteHeader(500)
		}
	})
	if s := measured(t, w.address, "-connections 2 -requests 1000"); s.Errors.Status != 2 {
		t.Errorf("errors: %v, want 2 of status", s.Errors)
	}
}

func TestClosedConnectionsVoidTheRun(t *testing.T) {
	var requests atomic.Int64
	w := newWeb(t, func(http.ResponseWriter, *http.Request) {
		if requests.Add(1) > 20 {
			panic(http.ErrAbortHandler)
		}
	})
	if s := measured(t, w.address, "-connections 2 -requests 1000"); s.Errors.Read != 2 {
		t.Errorf("errors: %v, want 2 of reading", s.Errors)
	}
}

func TestRefusedConnect(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	err = run([]string{"-address", ln.Addr().String()}, strings.NewReader(""), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("error %v, want connection refused", err)
	}
}

// accept serves each connection with a function.
func accept(t *testing.T, serve func(net.Conn)) (address string) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return ln.Addr().String()
}

func TestEcho(t *testing.T) {
	address := accept(t, func(c net.Conn) { io.Copy(c, c) })
	expectAnswers(t, measured(t, address, "-protocol echo -body 70000 -connections 3 -requests 30"), 30)
}

func TestWebSocket(t *testing.T) {
	address := accept(t, func(c net.Conn) {
		if _, err := ws.Upgrade(c); err != nil {
			t.Error(err)
			return
		}
		for {
			message, op, err := wsutil.ReadClientData(c)
			if err != nil || wsutil.WriteServerMessage(c, op, message) != nil {
				return // the client has closed
			}
		}
	})
	expectAnswers(t, measured(t, address, "-protocol websocket -body 300 -connections 3 -requests 30"), 30)
}

func TestCometNotifiesAll(t *testing.T) {
	waiting, news := atomic.Int64{}, make(chan struct{})
	w := newWeb(t, func(out http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/wait":
			waiting.Add(1)
			<-news
		case "/notify":
			close(news)
		}
		io.WriteString(out, strconv.FormatInt(waiting.Load(), 10)+"\n")
	})
	s := measured(t, w.address, "-protocol comet -path /wait -connections 300")
	expectAnswers(t, s, 300)
	if s.Requests != 300 {
		t.Errorf("%d answers, want 300", s.Requests)
	}
}
