package httpparse

import "strconv"

// LastChunk ends a chunked body that has no trailer fields.
const LastChunk = "0\r\n\r\n"

// AppendChunk appends data as one chunk. Empty data appends nothing, because an empty chunk would end the body.
func AppendChunk(dst, data []byte) []byte {
	if len(data) == 0 {
		return dst
	}
	dst = AppendChunkHeader(dst, len(data))
	dst = append(dst, data...)
	return append(dst, "\r\n"...)
}

// AppendChunkHeader appends the size line of a chunk of n bytes, n > 0. The data and a CRLF have to follow.
func AppendChunkHeader(dst []byte, n int) []byte {
	dst = strconv.AppendUint(dst, uint64(n), 16)
	return append(dst, "\r\n"...)
}
