package http1

import (
	"cmp"
	"net/http"
	"strconv"
)

const (
	minStatus = 200 // of a final response
	maxStatus = 599
)

// reasons are those that differ from net/http's, which are of older RFCs: RFC 9110 section 15.5.
var reasons = map[int]string{
	http.StatusRequestEntityTooLarge:        "Content Too Large",
	http.StatusRequestURITooLong:            "URI Too Long",
	http.StatusRequestedRangeNotSatisfiable: "Range Not Satisfiable",
	http.StatusUnprocessableEntity:          "Unprocessable Content",
}

func reason(code int) string { return cmp.Or(reasons[code], http.StatusText(code)) }

// An empty reason has a space before it too (RFC 9112 section 4).
func appendStatusLine(dst []byte, code int) []byte {
	if code == http.StatusOK {
		return append(dst, "HTTP/1.1 200 OK\r\n"...)
	}
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	dst = append(dst, ' ')
	dst = append(dst, reason(code)...)
	return append(dst, "\r\n"...)
}
