package httpparse

// stepExtension takes one byte of
//
//	chunk-ext = *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )
//
// and of the CR behind it. The extension is checked and ignored (RFC 9112 section 7.1.1).
func (d *Chunked) stepExtension(c byte, limit int) error {
	if c == '\r' && d.mayEndLine() {
		d.next = nextSizeLF
		return nil
	}
	if d.extension++; d.extension > limit {
		return ErrExtensionLimit
	}
	next, ok := afterExtensionByte(d.next, c)
	if !ok {
		return lineEndError(c, ErrChunkExtension)
	}
	d.next = next
	return nil
}

// mayEndLine reports whether an extension is whole. White space does not end one.
func (d *Chunked) mayEndLine() bool {
	return d.next == nextNameRest || d.next == nextValueRest || d.next == nextValueEnd
}

// afterExtensionByte returns what comes next after c, or not ok when c may not stand there.
func afterExtensionByte(next chunkStage, c byte) (_ chunkStage, ok bool) {
	switch next {
	case nextExtensionName:
		if isToken(c) {
			return nextNameRest, true
		}
		return next, isBlank(c)
	case nextNameRest:
		if isToken(c) {
			return next, true
		}
		return afterName(c)
	case nextNameEnd:
		return afterName(c)
	case nextExtensionValue:
		if isToken(c) {
			return nextValueRest, true
		}
		if c == '"' {
			return nextQuoted, true
		}
		return next, isBlank(c)
	case nextValueRest:
		if isToken(c) {
			return next, true
		}
	case nextQuoted:
		if c == '"' {
			return nextValueEnd, true
		}
		if c == '\\' {
			return nextQuotedPair, true
		}
		return next, classes[c]&classValue != 0
	case nextQuotedPair:
		return nextQuoted, classes[c]&classValue != 0
	}
	return afterValue(c)
}

func afterName(c byte) (chunkStage, bool) {
	if c == '=' {
		return nextExtensionValue, true
	}
	if isBlank(c) {
		return nextNameEnd, true
	}
	return nextExtensionName, c == ';'
}

func afterValue(c byte) (chunkStage, bool) {
	if isBlank(c) {
		return nextSemicolon, true
	}
	return nextExtensionName, c == ';'
}
