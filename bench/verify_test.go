package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/eddynet/eddy/bench/internal/std"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// serveWeb returns the address of a server with one fault.
func serveWeb(t *testing.T, spoil func(w http.ResponseWriter, r *http.Request) (done bool)) string {
	right := std.Handler("test")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if spoil == nil || !spoil(w, r) {
			right.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestRightAnswersPass(t *testing.T) {
	address := serveWeb(t, nil)
	for _, s := range scenarios() {
		if s.protocol == "" {
			if err := verify(s, address); err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
		}
	}
	if err := verifyOnce(scenario{}, "nethttp", address); err != nil {
		t.Error(err)
	}
}

func TestWrongAnswersAreFound(t *testing.T) {
	for want, spoil := range map[string]func(w http.ResponseWriter, r *http.Request) bool{
		"status is 500": func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Server", "test")
			w.WriteHeader(500)
			return true
		},
		"Server is missing": func(w http.ResponseWriter, r *http.Request) bool {
			std.Handler("").ServeHTTP(w, r)
			return true
		},
		"Content-Type is text/html": func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Server", "test")
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Write([]byte("Hello, World!"))
			return true
		},
		"Content-Length is 2": func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Server", "test")
			w.Header().Set("Content-Type", "text/plain")
			w.Write([]byte("no"))
			return true
		},
		"body is": func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Server", "test")
			w.Header().Set("Content-Type", "text/plain")
			w.Write([]byte("Hello, Mars!!"))
			return true
		},
		"Date:": func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header()["Date"] = nil
			return false
		},
		"Date is": func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
			return false
		},
	} {
		err := verify(scenario{}, serveWeb(t, spoil))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestRareRequestsAreVerified(t *testing.T) {
	address := serveWeb(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/spin" {
			r.URL.Path = "/sleep"
		}
		return false
	})
	if err := verify(scenario{rare: "/spin?us=1"}, address); err == nil || !strings.Contains(err.Error(), "GET /spin?us=1") {
		t.Error(err)
	}
}

func TestWebSocketEchoesAreCompared(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		message, op, err := wsutil.ReadClientData(conn)
		if err != nil {
			t.Error(err)
			return
		}
		if r.URL.Path != "/ws" {
			message[1]++
		}
		if err := wsutil.WriteServerMessage(conn, op, message); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	address := server.Listener.Addr().String()
	if err := verify(scenario{protocol: "websocket", path: "/ws", body: 100}, address); err != nil {
		t.Error(err)
	}
	if err := verify(scenario{protocol: "websocket", path: "/wrong", body: 100}, address); err == nil || !strings.Contains(err.Error(), "other bytes") {
		t.Error(err)
	}
}

func TestServersThatIgnoreThePath(t *testing.T) {
	address := serveWeb(t, func(_ http.ResponseWriter, r *http.Request) bool {
		r.URL.Path = "/plaintext"
		return false
	})
	if err := verifyOnce(scenario{}, "nethttp", address); err == nil || !strings.Contains(err.Error(), "path is not checked") {
		t.Error(err)
	}
}
