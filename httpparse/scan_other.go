//go:build !amd64

package httpparse

const hasAVX2 = false

var plainLinesAVX2 func(buf []byte, line int, fields []Field) (n, next int) // never called
