package httpparse

import "testing"

func TestParsingAllocatesNothing(t *testing.T) {
	messages := []string{kittyRequest, plaintextRequest, browserRequest,
		"GET http://[::1]:80/ HTTP/1.1\r\nHost: [2001:db8::192.0.2.1]\r\n\r\n"}
	bad := []byte(g + h + "X: a\x00\r\n\r\n")
	response := []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n")
	body := appendChunk(nil, []byte("hello"))
	body = append(body, "0\r\nX: 1\r\n\r\n"...)
	var r Request
	var answer Response
	var trailer Trailer
	heads := make([][]byte, len(messages))
	for i, message := range messages {
		heads[i] = []byte(message)
	}
	allocs := testing.AllocsPerRun(100, func() {
		for _, head := range heads {
			for cut := 0; cut <= len(head); cut += 100 {
				r.Reset()
				r.Parse(head[:cut], nil)
				r.Parse(head, nil)
			}
			r.Fields.Get(head, "cookie")
		}
		r.Reset()
		if _, err := r.Parse(bad, nil); err == nil {
			t.Error("bad byte accepted")
		}
		answer.Reset()
		answer.Parse(response, "GET", nil)
		var d Chunked
		for in := body; !d.Done(); {
			_, n, _ := d.Next(in, nil)
			if in = in[n:]; d.Done() {
				trailer.Reset()
				trailer.Parse(in, nil)
			}
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
