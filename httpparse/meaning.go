package httpparse

// meaning is what the fields of one head say together about the host, the body and the connection.
type meaning struct {
	host    Span
	hosts   int
	upgrade Span
	options connectionOption
	expect  expectation
	lengths int
	length  int64
	codings codings
}

type expectation uint8

const (
	expectNothing expectation = iota
	expectContinue
	expectUnknown
)

// readExpect takes the one expectation that is defined, or an empty list, for what it is.
func (m *meaning) readExpect(value []byte) {
	for len(value) > 0 {
		var element []byte
		element, value = CutElement(value)
		if EqualFold(element, "100-continue") {
			m.expect = max(m.expect, expectContinue)
		} else if len(element) > 0 {
			m.expect = expectUnknown
		}
	}
}

// read collects what the marked fields say and reports the first that cannot be understood.
func (m *meaning) read(buf []byte, fields []Field, marked uint64) error {
	for i := range fields {
		if marked>>uint(min(i, lastMark))&1 == 0 {
			continue
		}
		f := &fields[i]
		value := f.Value.Of(buf)
		switch known(f.Name.Of(buf)) {
		case hostField:
			m.host = f.Value
			m.hosts++
		case expectField:
			m.readExpect(value)
		case upgradeField:
			if m.upgrade.Len() == 0 {
				m.upgrade = f.Value
			}
		case connectionField:
			m.options |= connectionOptions(value)
		case lengthField:
			length, ok := parseLength(value)
			if !ok {
				return ErrLength
			}
			if m.length = length; m.lengths > 0 {
				return ErrLengthRepeated
			}
			m.lengths++
		case codingField:
			m.codings.read(value)
		}
	}
	return nil
}

// upgradeOffer returns the value of Upgrade if the Connection field makes it an offer to this hop.
func (m *meaning) upgradeOffer() Span {
	if m.options&optionUpgrade == 0 {
		return Span{}
	}
	return m.upgrade
}

// CutElement cuts the first element off a comma-separated list, without the white space around it. The list is
// at its end when the rest is empty; so a trailing comma passes without another, empty element.
func CutElement(list []byte) (element, rest []byte) {
	end := len(list)
	for i, c := range list {
		if c == ',' {
			end, rest = i, list[i+1:]
			break
		}
	}
	return trim(list, span(0, end)).Of(list), rest
}
