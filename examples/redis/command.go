package main

import (
	"bytes"
	"fmt"
)

// command is a command that is coming in: an array of bulk strings, such as
// "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", or words on a line, such as "PING\r\n". The offsets
// tell where to go on when more has come, so that nothing is looked at twice.
type command struct {
	pos   int      // the first byte that was not looked at
	left  int      // bulk strings still to come; 0 before the first line
	bulk  int      // length of the bulk string whose header was read; noBulk without one
	spans [][2]int // where the arguments stand
	args  [][]byte // the same as slices of the input, when the command is complete
}

const noBulk = -1

// reset makes the command ready for the next one. It keeps small arrays.
func (c *command) reset() {
	*c = command{bulk: noBulk, spans: c.spans[:0], args: c.args[:0]}
	if cap(c.spans) > 64 {
		c.spans, c.args = nil, nil
	}
}

// parse goes on with the command at the beginning of in, and returns its length once
// it is complete, and 0 before. An empty command has no args.
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

// parseBulk goes on with a bulk string, and says whether it is complete.
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

// number reads the number that ends its line. It is at most limit.
func (c *command) number(in []byte, start, limit int, bad, long error) (n int, ok bool, err error) {
	const longest = 32 // bytes, with its end
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

// parseInline goes on with words on a line. Quotes have no meaning here.
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
