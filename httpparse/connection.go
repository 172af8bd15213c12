package httpparse

type connectionOption uint8

const (
	optionClose connectionOption = 1 << iota
	optionKeepAlive
	optionUpgrade
)

// connectionOptions returns those options of a Connection field that we know, in any case and at any place of
// the list (RFC 9110 section 7.6.1).
func connectionOptions(value []byte) (options connectionOption) {
	if string(value) == "keep-alive" { // as most clients send it
		return optionKeepAlive
	}
	for len(value) > 0 {
		var element []byte
		element, value = CutElement(value)
		switch {
		case EqualFold(element, "keep-alive"):
			options |= optionKeepAlive
		case EqualFold(element, "close"):
			options |= optionClose
		case EqualFold(element, "upgrade"):
			options |= optionUpgrade
		}
	}
	return options
}

// keepAlive decides whether the sender lets the connection persist: 1.1 unless it says close, 1.0 only if it
// says keep-alive and not close (RFC 9112 section 9.3).
func (m *meaning) keepAlive(minor int) bool {
	if m.options&optionClose != 0 {
		return false
	}
	return minor > 0 || m.options&optionKeepAlive != 0
}
