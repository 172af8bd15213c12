package httpparse

import "bytes"

// meaning is what the fields of one head say about the host, the body and the connection.
type meaning struct {
	host, upgrade  Span
	hosts, lengths uint32 // field lines
	length         int64
	err            *Error // of the first bad Content-Length
	codings        codings

	close, keepAlive, upgrades    bool // options of Connection
	expectContinue, expectUnknown bool
}

// knownInitials has the initial of each name that meaning.add compares at the name's length: no two have the same.
var knownInitials = [32]byte{
	len("host"): 'h', len("expect"): 'e', len("upgrade"): 'u', len("connection"): 'c', len("content-length"): 'c',
	len("transfer-encoding"): 't',
}

// mayBeKnown rules out nearly all names by their initial and their length.
func mayBeKnown(initial byte, length int) bool { return knownInitials[uint(length)%32] == initial|0x20 }

func (m *meaning) add(buf []byte, f Field) {
	name, value := f.Name.Of(buf), f.Value.Of(buf)
	switch {
	case EqualFold(name, "Host"):
		m.host = f.Value
		m.hosts++
	case EqualFold(name, "Connection"):
		m.addConnection(value)
	case EqualFold(name, "Content-Length"):
		m.addLength(value)
	case EqualFold(name, "Transfer-Encoding"):
		m.codings.add(value)
	case EqualFold(name, "Expect"):
		m.addExpect(value)
	case EqualFold(name, "Upgrade") && m.upgrade.Len() == 0:
		m.upgrade = f.Value
	}
}

// addLength keeps the error of the first field that is malformed or repeated.
func (m *meaning) addLength(value []byte) {
	length, ok := parseLength(value)
	switch {
	case m.err != nil:
	case !ok:
		m.err = errLength
	case m.lengths > 0:
		m.err = errLengthRepeated
	}
	m.length = length
	m.lengths++
}

func (m *meaning) addExpect(value []byte) {
	for len(value) > 0 {
		var element []byte
		element, value = CutElement(value)
		if EqualFold(element, "100-continue") {
			m.expectContinue = true
		} else if len(element) > 0 {
			m.expectUnknown = true
		}
	}
}

// The options stand in any case and at any place of the list (RFC 9110 section 7.6.1).
func (m *meaning) addConnection(value []byte) {
	for len(value) > 0 {
		var option []byte
		option, value = CutElement(value)
		switch {
		case EqualFold(option, "close"):
			m.close = true
		case EqualFold(option, "keep-alive"):
			m.keepAlive = true
		case EqualFold(option, "upgrade"):
			m.upgrades = true
		}
	}
}

// persists reports whether the connection may carry another message: in 1.1 unless the sender says close, in 1.0 only
// if it says keep-alive and not close (RFC 9112 section 9.3).
func (m *meaning) persists(minor int) bool { return !m.close && (minor > 0 || m.keepAlive) }

// upgradeOffer returns the value of Upgrade if the Connection field of a 1.1 message makes it an offer to this hop.
func (m *meaning) upgradeOffer(minor int) Span {
	if minor == 0 || !m.upgrades {
		return Span{}
	}
	return m.upgrade
}

// CutElement cuts the first element off a comma-separated list, without the white space around it. At the end rest is
// empty: no empty element follows a trailing comma.
func CutElement(list []byte) (element, rest []byte) {
	end := bytes.IndexByte(list, ',')
	if end < 0 {
		end = len(list)
	} else {
		rest = list[end+1:]
	}
	return trim(list, 0, end).Of(list), rest
}
