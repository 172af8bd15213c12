package nethttp_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestSwitchingProtocolsWithoutHijack: the fields are those of the handler, and the
// connection goes on.
func TestSwitchingProtocolsWithoutHijack(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Upgrade", "foo, websocket")
		w.Header().Set("Connection", "upgrade, keep-alive")
		w.WriteHeader(http.StatusSwitchingProtocols)
	})
	onBoth(t, h, func(t *testing.T, addr string) {
		conn, r := dialBoth(t, addr)
		for range 2 {
			io.WriteString(conn, get("/"))
			a, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			expect(t, "status", a.StatusCode, 101)
			expect(t, "Connection", strings.Join(a.Header["Connection"], "; "), "upgrade, keep-alive")
			expect(t, "Upgrade", strings.Join(a.Header["Upgrade"], "; "), "foo, websocket")
		}
	})
}
