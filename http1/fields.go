package http1

import (
	"bytes"
	"slices"
	"strings"

	"github.com/eddynet/eddy/httpparse"
)

// fieldList is the field lines of a response, as sent. No name or value contains an LF.
type fieldList []byte

func (l *fieldList) add(name, value string) {
	lines := slices.Grow(*l, len(name)+len(": ")+len(value)+len("\r\n"))
	lines = append(lines, name...)
	lines = append(lines, ':', ' ')
	lines = append(lines, value...)
	*l = append(lines, '\r', '\n')
}

func (l *fieldList) remove(name string) {
	for start := 0; start < len(*l); {
		line := (*l)[start:]
		line = line[:bytes.IndexByte(line, '\n')+1]
		if len(line) > len(name) && line[len(name)] == ':' && httpparse.EqualFold(line[:len(name)], name) {
			*l = slices.Delete(*l, start, start+len(line))
		} else {
			start += len(line)
		}
	}
}

// owner is the part of the server that handles a response field.
type owner uint8

const (
	ownerHandler    owner = iota
	ownerConnection       // Connection
	ownerUpgrade          // Upgrade: the server adds Connection: Upgrade
	ownerStamp            // Date and Server
	ownerFraming          // Content-Length and Transfer-Encoding
)

// ownerOf compares only the length of most names.
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

// checkField checks a field that a handler sets, or that is in a Head, which allows more.
func checkField(name, value string, inHead bool) (o owner, err error) {
	reason := ""
	switch o = ownerOf(name); {
	case !httpparse.IsToken(name):
		reason = "its name is not a token (RFC 9110 section 5.6.2)"
	case !httpparse.IsFieldValue(value):
		reason = "its value contains a control byte (RFC 9110 section 5.5)"
	case o == ownerFraming:
		reason = "the server chooses the framing; SetLength announces the length of a stream"
	case inHead:
	case o == ownerStamp:
		reason = "the server sets it: see Options.ServerName and Head"
	case o == ownerConnection && !strings.EqualFold(value, "close"):
		reason = "the server manages the connection: only close may be set"
	}
	if reason != "" {
		err = &FieldError{name, value, reason}
	}
	return o, err
}

// checkTrailer checks that a field may be in a trailer section (RFC 9110 section 6.5.1): it must
// not affect framing, routing or handling of the message.
func checkTrailer(name, value string) error {
	o, err := checkField(name, value, false)
	if err != nil {
		return err
	}
	for _, forbidden := range [...]string{"Host", "Trailer", "Upgrade", "Set-Cookie", "Content-Encoding",
		"Content-Type", "Content-Range", "Authorization", "WWW-Authenticate", "Cache-Control", "Expires", "Vary"} {
		if o != ownerHandler || strings.EqualFold(name, forbidden) {
			return &FieldError{name, value, "it is not allowed in a trailer section (RFC 9110 section 6.5.1)"}
		}
	}
	return nil
}
