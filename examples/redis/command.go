package main

import (
	"bytes"
	"fmt"
)

// command is a command being parsed: an array of bulk strings, such as
// "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", or words on a line, such as "PING\r\n". The offsets
// are kept between calls, so that no byte is parsed twice.
type command struct {
	pos   int      // offset of the first byte not parsed yet
	left  int      // missing bulk strings; 0 before the first line
	bulk  int      // length of the bulk string whose header was parsed, or noBulk
	spans [][2]int // offsets of the arguments
	args  [][]byte // the arguments as slices of the input, when the command is complete
}

const noBulk = -1

// reset prepares for the next command. It keeps small arrays.
func (c *command) reset() {
	*c = command{bulk: noBulk, spans: c.spans[:0], args: c.args[:0]}
	if cap(c.spans) > 64 {
		c.spans, c.args = nil, nil
	}
}

// parse continues with the command at the beginning of in. It returns the command's
// length, or 0 if it is incomplete. An empty command has no args.
func (c *command) parse(in []byte) (n int, err error) {
	if c.left == 0 {
		if len(in) == 0 {
			return 0, nil
		}
		if in[0] != '*' {
			return c.parseInline(in)
		}
		count, ok, err := c.number(in, 1, maxArgs, errCount, errCountTooBig)
		if !ok {
			return 0, err
		}
		if count <= 0 {
			return c.pos, nil
		}
		c.left, c.bulk = count, noBulk
	}
	for c.left > 0 {
		if ok, err := c.parseBulk(in); !ok {
			return 0, err
		}
		c.left--
	}
	for _, s := range c.spans {
		c.args = append(c.args, in[s[0]:s[1]])
	}
	return c.pos, nil
}

// parseBulk continues with a bulk string. ok means that it is complete.
func (c *command) parseBulk(in []byte) (ok bool, err error) {
	if c.bulk == noBulk {
		if c.pos == len(in) {
			return false, nil
		}
		if in[c.pos] != '$' {
			return false, fmt.Errorf("expected '$', got '%c'", in[c.pos])
		}
		length, ok, err := c.number(in, c.pos+1, maxBulk, errLength, errLengthTooBig)
		if !ok {
			return false, err
		}
		if length < 0 {
			return false, errLength
		}
		if c.pos+length > maxCommand {
			return false, errCommandTooBig
		}
		c.bulk = length
	}
	end := c.pos + c.bulk
	if len(in) < end+2 {
		return false, nil
	}
	if in[end] != '\r' || in[end+1] != '\n' {
		return false, errBulkTerminator
	}
	c.spans = append(c.spans, [2]int{c.pos, end})
	c.pos, c.bulk = end+2, noBulk
	return true, nil
}

// number parses a number up to the end of the line, at most limit.
func (c *command) number(in []byte, start, limit int, bad, long error) (n int, ok bool, err error) {
	const longest = 32 // bytes, including CRLF
	i := start
	negative := i < len(in) && in[i] == '-'
	if negative {
		i++
	}
	for digits := i; i < len(in) && i-start < longest; i++ {
		switch b := in[i]; {
		case '0' <= b && b <= '9':
			if n = n*10 + int(b-'0'); n > limit {
				return 0, false, bad
			}
		case b != '\r' || i == digits:
			return 0, false, bad
		case i+1 == len(in):
			return 0, false, nil
		case in[i+1] != '\n':
			return 0, false, bad
		default:
			c.pos = i + 2
			if negative {
				n = -n
			}
			return n, true, nil
		}
	}
	if i-start >= longest {
		return 0, false, long
	}
	return 0, false, nil
}

// parseInline continues with words on a line. Quotes have no meaning.
func (c *command) parseInline(in []byte) (n int, err error) {
	end := bytes.IndexByte(in[c.pos:], '\n')
	if end < 0 {
		if c.pos = len(in); c.pos > maxInline {
			return 0, errInlineTooBig
		}
		return 0, nil
	}
	n = c.pos + end + 1
	c.args = append(c.args, bytes.Fields(in[:n])...)
	return n, nil
}
