package http1_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// client reads answers more strictly than net/http does.
type client struct {
	t      testing.TB // nil where errors are returned
	server *server    // the same
	conn   connection
	r      *bufio.Reader
}

func newClient(conn connection) *client {
	return &client{conn: conn, r: bufio.NewReader(conn)}
}

// answer is an answer as it was read.
type answer struct {
	status  int
	line    string // the status line
	fields  [][2]string
	body    []byte
	framing string // "length", "chunked", "close" or "none"
}

// all are the values of the fields of that name.
func (a *answer) all(name string) (values []string) {
	for _, f := range a.fields {
		if strings.EqualFold(f[0], name) {
			values = append(values, f[1])
		}
	}
	return values
}

// field is the value of the field of that name, which occurs once at most.
func (a *answer) field(name string) string { return strings.Join(a.all(name), "|") }

// closes says whether the answer announces the end of the connection.
func (a *answer) closes() bool { return strings.EqualFold(a.field("Connection"), "close") }

var (
	statusLine = regexp.MustCompile(`^HTTP/1\.1 [1-5][0-9][0-9] [ -~]*$`)
	fieldName  = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
)

// readHead reads a head. The error is io.EOF when the connection ends before it.
func (c *client) readHead() (*answer, error) {
	line, err := c.readLine()
	if err != nil {
		return nil, err
	}
	if !statusLine.MatchString(line) {
		return nil, fmt.Errorf("status line %q", line)
	}
	a := &answer{line: line}
	a.status, _ = strconv.Atoi(line[9:12])
	for {
		if line, err = c.readLine(); err != nil {
			return nil, inHead(err)
		}
		if line == "" {
			return a, nil
		}
		name, value, ok := strings.Cut(line, ": ")
		if !ok || !fieldName.MatchString(name) || strings.ContainsFunc(value, isControl) {
			return nil, fmt.Errorf("field line %q", line)
		}
		a.fields = append(a.fields, [2]string{name, value})
	}
}

func isControl(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }

func inHead(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readLine reads up to CRLF, and accepts no other CR or LF.
func (c *client) readLine() (string, error) {
	line, err := c.r.ReadString('\n')
	if err != nil {
		if err == io.EOF && line != "" {
			return "", fmt.Errorf("connection ended behind %q", line)
		}
		return "", err
	}
	text, ok := strings.CutSuffix(line, "\r\n")
	if !ok || strings.ContainsAny(text, "\r\n") {
		return "", fmt.Errorf("line %q", line)
	}
	return text, nil
}

// read reads one answer, and checks what every answer must keep.
func (c *client) read(method string) (*answer, error) {
	a, err := c.readHead()
	if err != nil {
		return nil, err
	}
	if err := a.check(method); err != nil {
		return nil, fmt.Errorf("%w in %q %q", err, a.line, a.fields)
	}
	switch a.framing {
	case "length":
		n, _ := strconv.Atoi(a.field("Content-Length"))
		a.body = make([]byte, n)
		_, err = io.ReadFull(c.r, a.body)
	case "chunked":
		a.body, err = c.readChunks()
	case "close":
		a.body, err = io.ReadAll(c.r)
	}
	if err != nil {
		return nil, fmt.Errorf("body of %q, framed by %s: %w", a.line, a.framing, inHead(err))
	}
	return a, nil
}

// check decides the framing, as RFC 9112 section 6.3 has it, and looks for what no
// answer may have.
func (a *answer) check(method string) error {
	lengths, codings := a.all("Content-Length"), a.all("Transfer-Encoding")
	tunnel := method == "CONNECT" && a.status/100 == 2
	bare := a.status/100 == 1 || a.status == 204 || tunnel
	switch {
	case bare && len(lengths)+len(codings) > 0:
		return errors.New("a framing field where there must be none")
	case len(lengths)+len(codings) > 1:
		return errors.New("more than one framing field")
	case len(codings) == 1 && codings[0] != "chunked":
		return errors.New("a transfer coding other than chunked")
	case len(lengths) == 1 && strings.Trim(lengths[0], "0123456789") != "":
		return errors.New("a length that is no number")
	case len(a.all("Connection")) > 1:
		return errors.New("more than one Connection field")
	}
	switch {
	case bare || method == "HEAD" || a.status == 304:
		a.framing = "none"
	case len(codings) == 1:
		a.framing = "chunked"
	case len(lengths) == 1:
		a.framing = "length"
	default:
		a.framing = "close"
	}
	if a.status/100 == 1 {
		return nil
	}
	date := a.all("Date")
	if len(date) != 1 {
		return errors.New("not one Date field")
	}
	_, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", date[0])
	return err
}

// readChunks reads a chunked body in the one form that the server writes.
func (c *client) readChunks() ([]byte, error) {
	var body bytes.Buffer
	for {
		line, err := c.readLine()
		if err != nil {
			return nil, err
		}
		size, err := strconv.ParseInt(line, 16, 64)
		if err != nil {
			return nil, fmt.Errorf("chunk size %q", line)
		}
		if _, err := io.CopyN(&body, c.r, size); err != nil {
			return nil, err
		}
		if line, err = c.readLine(); err != nil || line != "" {
			return nil, fmt.Errorf("behind a chunk of %d bytes: %q, %w", size, line, err)
		}
		if size == 0 {
			return body.Bytes(), nil
		}
	}
}

// readEnd expects FIN and nothing before it.
func (c *client) readEnd() error {
	rest, err := io.ReadAll(c.r)
	switch {
	case err != nil:
		return fmt.Errorf("not an orderly end: %w, behind %q", err, rest)
	case len(rest) > 0:
		return fmt.Errorf("%q before the end", rest)
	}
	return nil
}
