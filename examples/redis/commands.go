package main

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/eddynet/eddy"
)

// run executes a command and writes the reply.
func (s server) run(c *eddy.Conn, args [][]byte) {
	out := c.Out()
	var lower [16]byte
	name := lower[:copy(lower[:], args[0])]
	for i, b := range name {
		if 'A' <= b && b <= 'Z' {
			name[i] = b + 'a' - 'A'
		}
	}
	if len(args[0]) > len(lower) {
		name = nil // longer than any command
	}
	switch string(name) {
	case "get":
		if arity(out, "get", args, 2, 2) {
			s.get(out, args[1])
		}
	case "set":
		if arity(out, "set", args, 3, maxArgs) {
			s.set(out, args[1:])
		}
	case "del":
		if arity(out, "del", args, 2, maxArgs) {
			writeInteger(out, s.store.remove(args[1:]))
		}
	case "ping":
		switch {
		case len(args) == 1:
			write(out, "+PONG\r\n")
		case arity(out, "ping", args, 1, 2):
			writeBulk(out, args[1])
		}
	case "echo":
		if arity(out, "echo", args, 2, 2) {
			writeBulk(out, args[1])
		}
	case "config":
		s.config(out, args)
	case "command":
		write(out, "*0\r\n") // redis-cli requests help texts
	case "quit":
		write(out, "+OK\r\n")
		c.Close()
	default:
		unknown(out, args)
	}
}

func (s server) get(out *eddy.Buffer, key []byte) {
	if !s.store.appendBulk(out, key) {
		write(out, "$-1\r\n")
	}
}

func (s server) set(out *eddy.Buffer, args [][]byte) {
	if len(args) > 2 {
		writeError(out, "ERR syntax error") // options are not supported
		return
	}
	s.store.set(args[0], args[1])
	write(out, "+OK\r\n")
}

// config answers redis-benchmark, which asks whether data is saved: it is not.
func (s server) config(out *eddy.Buffer, args [][]byte) {
	if len(args) != 3 || !bytes.EqualFold(args[1], []byte("get")) {
		writeError(out, "ERR only CONFIG GET with one name is served")
		return
	}
	write(out, "*2\r\n")
	writeBulk(out, args[2])
	write(out, "$0\r\n\r\n")
}

// arity checks the number of arguments, including the command. Otherwise it writes an error.
func arity(out *eddy.Buffer, name string, args [][]byte, low, high int) bool {
	if len(args) < low || len(args) > high {
		writeError(out, "ERR wrong number of arguments for '", name, "' command")
		return false
	}
	return true
}

func unknown(out *eddy.Buffer, args [][]byte) {
	const shown = 128 // bytes
	clip := func(b []byte) string { return string(b[:min(len(b), shown)]) }
	var list strings.Builder
	for _, a := range args[1:] {
		if list.Len() >= shown {
			break
		}
		list.WriteString("'" + clip(a) + "' ")
	}
	writeError(out, "ERR unknown command '", clip(args[0]), "', with args beginning with: ", list.String())
}

func write(out *eddy.Buffer, s string) { out.B = append(out.B, s...) }

func writeBulk(out *eddy.Buffer, b []byte) {
	out.B = append(out.B, '$')
	out.B = strconv.AppendInt(out.B, int64(len(b)), 10)
	out.B = append(out.B, "\r\n"...)
	out.B = append(out.B, b...)
	out.B = append(out.B, "\r\n"...)
}

func writeInteger(out *eddy.Buffer, n int) {
	out.B = append(out.B, ':')
	out.B = strconv.AppendInt(out.B, int64(n), 10)
	out.B = append(out.B, "\r\n"...)
}

// writeError writes the joined parts as a one-line error. CR and LF become spaces.
func writeError(out *eddy.Buffer, parts ...string) {
	out.B = append(out.B, '-')
	for _, p := range parts {
		for _, b := range []byte(p) {
			if b == '\r' || b == '\n' {
				b = ' '
			}
			out.B = append(out.B, b)
		}
	}
	out.B = append(out.B, "\r\n"...)
}
