package http1

import (
	"net/http"
	"strconv"
)

const (
	minStatus = 200 // of a final answer
	maxStatus = 599
)

// reason is the reason phrase of a status code, empty where none is registered. Where
// package net/http has the phrase of an older RFC, it is that of RFC 9110 section 15.5.
func reason(code int) string {
	switch code {
	case http.StatusRequestEntityTooLarge:
		return "Content Too Large"
	case http.StatusRequestURITooLong:
		return "URI Too Long"
	case http.StatusRequestedRangeNotSatisfiable:
		return "Range Not Satisfiable"
	case http.StatusUnprocessableEntity:
		return "Unprocessable Content"
	}
	return http.StatusText(code)
}

// appendStatusLine appends the status line. The space before a reason that is empty stays
// (RFC 9112 section 4).
func appendStatusLine(dst []byte, code int) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	dst = append(dst, ' ')
	dst = append(dst, reason(code)...)
	return append(dst, "\r\n"...)
}

// lengthless says that an answer of this status has no body, whatever the handler wrote,
// and no Content-Length (RFC 9110 sections 8.6, 15.2, 15.3.5 and 15.4.5). One with 205 has
// a length, which is 0 (section 15.3.6).
func lengthless(code int) bool {
	return code < 200 || code == http.StatusNoContent || code == http.StatusNotModified
}
