package http1

import (
	"bytes"
	"slices"
	"strings"

	"github.com/eddynet/eddy/httpparse"
)

// fieldList is the fields of an answer, as they will be sent.
type fieldList struct {
	lines []byte // no name or value holds an LF
}

// linesKept bounds the bytes that a list keeps for the next answer.
const linesKept = 4 << 10

func (l *fieldList) reset() {
	l.lines = l.lines[:0]
	if cap(l.lines) > linesKept {
		l.lines = nil
	}
}

func (l *fieldList) add(name, value string) {
	lines := slices.Grow(l.lines, len(name)+len(": ")+len(value)+len("\r\n"))
	lines = append(lines, name...)
	lines = append(lines, ':', ' ')
	lines = append(lines, value...)
	l.lines = append(lines, '\r', '\n')
}

// remove takes out the fields of that name.
func (l *fieldList) remove(name string) {
	for start := 0; start < len(l.lines); {
		line := l.lines[start:]
		line = line[:bytes.IndexByte(line, '\n')+1]
		if len(line) > len(name) && line[len(name)] == ':' && httpparse.EqualFold(line[:len(name)], name) {
			l.lines = slices.Delete(l.lines, start, start+len(line))
		} else {
			start += len(line)
		}
	}
}

// owner says whose business a response field is.
type owner uint8

const (
	ownerHandler    owner = iota
	ownerConnection       // Connection: close, which the server carries out
	ownerUpgrade          // Upgrade, which has the server send Connection: Upgrade too
	ownerStamp            // Date and Server
	ownerFraming          // Content-Length and Transfer-Encoding
)

// ownerOf needs length and first letter only for nearly every name.
func ownerOf(name string) owner {
	is := func(other string) bool { return len(name) == len(other) && strings.EqualFold(name, other) }
	switch {
	case len(name) < len("Date") || len(name) > len("Transfer-Encoding"):
	case is("Connection"):
		return ownerConnection
	case is("Upgrade"):
		return ownerUpgrade
	case is("Date"), is("Server"):
		return ownerStamp
	case is("Content-Length"), is("Transfer-Encoding"):
		return ownerFraming
	}
	return ownerHandler
}

// checkSyntax says whether the field can be sent.
func checkSyntax(name, value string) error {
	if !httpparse.IsToken(name) {
		return &FieldError{name, value, "its name is not a token (RFC 9110 section 5.6.2)"}
	}
	if !httpparse.IsFieldValue(value) {
		return &FieldError{name, value, "its value holds a control byte (RFC 9110 section 5.5)"}
	}
	return nil
}

// checkField says whether a handler may set the field.
func checkField(name, value string) (owner, error) {
	if err := checkSyntax(name, value); err != nil {
		return 0, err
	}
	who := ownerOf(name)
	switch {
	case who == ownerStamp:
		return 0, &FieldError{name, value, "the server sets it: see Options.ServerName and Head"}
	case who == ownerFraming:
		return 0, &FieldError{name, value, "the server chooses the framing; SetLength announces the length of a stream"}
	case who == ownerConnection && !strings.EqualFold(value, "close"):
		return 0, &FieldError{name, value, "the server manages the connection: only close may be set"}
	}
	return who, nil
}

// checkTrailer says whether a program may set the trailer field (RFC 9110 section
// 6.5.1): none that says how the message is framed, routed or handled.
func checkTrailer(name, value string) error {
	owner, err := checkField(name, value)
	if err != nil {
		return err
	}
	for _, forbidden := range [...]string{"Host", "Trailer", "Upgrade", "Set-Cookie", "Content-Encoding",
		"Content-Type", "Content-Range", "Authorization", "WWW-Authenticate", "Cache-Control", "Expires", "Vary"} {
		if owner != ownerHandler || strings.EqualFold(name, forbidden) {
			return &FieldError{name, value, "it may not stand in a trailer (RFC 9110 section 6.5.1)"}
		}
	}
	return nil
}
