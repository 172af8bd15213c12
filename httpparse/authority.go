package httpparse

// isAuthority reports whether b is uri-host [ ":" port ] with a host that is not empty and a port, if any digit
// of it is there, of at most 65535 (RFC 9110 section 7.2, RFC 3986 section 3.2.2). There is no userinfo.
func isAuthority(b []byte) bool {
	_, _, ok := splitAuthority(b)
	return ok
}

// splitAuthority returns host and port; port is -1 when it is absent or empty.
func splitAuthority(b []byte) (host []byte, port int, ok bool) {
	i := hostEnd(b)
	if i == 0 {
		return nil, -1, false
	}
	if i == len(b) {
		return b, -1, true
	}
	if b[i] != ':' {
		return nil, -1, false
	}
	port, ok = parsePort(b[i+1:])
	return b[:i], port, ok
}

// hostEnd returns where the host at the beginning of b ends, 0 when there is none.
func hostEnd(b []byte) int {
	if len(b) > 0 && b[0] == '[' {
		return literalEnd(b)
	}
	i := scanClass(b, 0, classRegName)
	for i+2 < len(b) && b[i] == '%' && isHex(b[i+1]) && isHex(b[i+2]) {
		i = scanClass(b, i+3, classRegName)
	}
	return i
}

func parsePort(b []byte) (port int, ok bool) {
	if len(b) == 0 {
		return -1, true
	}
	for _, c := range b {
		if port = port*10 + int(c-'0'); !isDigit(c) || port > 65535 {
			return -1, false
		}
	}
	return port, true
}

// literalEnd returns where the IP-literal at the beginning of b ends, 0 when there is none.
func literalEnd(b []byte) int {
	for i, c := range b {
		if c == ']' {
			if inside := b[1:i]; isIPv6(inside) || isIPvFuture(inside) {
				return i + 1
			}
			break
		}
	}
	return 0
}

// isIPvFuture reports whether b is "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ).
func isIPvFuture(b []byte) bool {
	if len(b) == 0 || b[0]|0x20 != 'v' {
		return false
	}
	i := 1
	for i < len(b) && isHex(b[i]) {
		i++
	}
	if i == 1 || len(b)-i < 2 || b[i] != '.' {
		return false
	}
	for _, c := range b[i+1:] {
		if classes[c]&classRegName == 0 && c != ':' {
			return false
		}
	}
	return true
}

// isIPv6 reports whether b is an IPv6address: eight groups of up to four hexadecimal digits, of which the last
// two may be written as an IPv4 address, and one run of which may be left out as "::".
func isIPv6(b []byte) bool {
	groups, gap := 0, false
	if len(b) >= 2 && b[0] == ':' && b[1] == ':' {
		gap = true
		b = b[2:]
	}
	for len(b) > 0 {
		digits := 0
		for digits < len(b) && isHex(b[digits]) {
			digits++
		}
		if digits < len(b) && b[digits] == '.' {
			groups += 2
			return isIPv4(b) && groups <= 8 && gap == (groups < 8)
		}
		if digits == 0 || digits > 4 {
			return false
		}
		groups++
		if b = b[digits:]; len(b) == 0 {
			break
		}
		if b[0] != ':' || len(b) == 1 {
			return false
		}
		if b = b[1:]; b[0] == ':' {
			if gap {
				return false
			}
			gap = true
			b = b[1:]
		}
	}
	return groups <= 8 && gap == (groups < 8)
}

// isIPv4 reports whether b is four decimal numbers of at most 255, without leading zeros, joined by dots.
func isIPv4(b []byte) bool {
	for part := 0; part < 4; part++ {
		if part > 0 {
			if len(b) == 0 || b[0] != '.' {
				return false
			}
			b = b[1:]
		}
		number, digits := 0, 0
		for digits < len(b) && digits < 3 && isDigit(b[digits]) {
			number = number*10 + int(b[digits]-'0')
			digits++
		}
		if digits == 0 || number > 255 || digits > 1 && b[0] == '0' {
			return false
		}
		b = b[digits:]
	}
	return len(b) == 0
}

func isHex(c byte) bool { return classes[c]&classHex != 0 }
