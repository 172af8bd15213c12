package httpparse

import "golang.org/x/sys/cpu"

// GODEBUG=cpu.avx2=off makes it false.
var hasAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasBMI2

// plainLinesAVX2 does the same as plainLines.
//
//go:noescape
func plainLinesAVX2(buf []byte, line int, fields []Field) (n, next int)
