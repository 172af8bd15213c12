package common

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// Cheap answers HTTP for engines without HTTP. It finds the end of the head and compares
// the path. It checks nothing else, which favours those engines.
type Cheap struct {
	server string
	clock  *Clock
}

// NewCheap returns a Cheap with this value of the Server field.
func NewCheap(server string) *Cheap { return &Cheap{server, NewClock()} }

// Answer appends the responses to all complete requests of in to out. used is the number
// of bytes of these requests.
func (h *Cheap) Answer(out, in []byte) (_ []byte, used int) {
	for {
		n := bytes.Index(in[used:], []byte("\r\n\r\n"))
		if n < 0 {
			return out, used
		}
		switch head := in[used : used+n]; {
		case bytes.HasPrefix(head, []byte("GET /plaintext ")):
			out = h.append(out, "200 OK", "text/plain", Text)
		case bytes.HasPrefix(head, []byte("GET /json ")):
			body, err := json.Marshal(Hello())
			if err != nil {
				panic(err) // a string can be encoded
			}
			out = h.append(out, "200 OK", "application/json", string(body))
		case bytes.HasPrefix(head, []byte("GET /spin?")):
			query, _, _ := bytes.Cut(head[len("GET /spin?"):], []byte(" "))
			Spin(Number(string(query)))
			out = h.append(out, "200 OK", "text/plain", Spun)
		default:
			out = h.append(out, "404 Not Found", "text/plain", "")
		}
		used += n + 4
	}
}

func (h *Cheap) append(out []byte, status, kind, body string) []byte {
	out = append(out, "HTTP/1.1 "...)
	out = append(out, status...)
	out = append(out, "\r\nServer: "...)
	out = append(out, h.server...)
	out = append(out, "\r\nDate: "...)
	out = append(out, h.clock.Now()...)
	out = append(out, "\r\nContent-Type: "...)
	out = append(out, kind...)
	out = append(out, "\r\nContent-Length: "...)
	out = strconv.AppendInt(out, int64(len(body)), 10)
	out = append(out, "\r\n\r\n"...)
	return append(out, body...)
}
