package httpparse

import "strconv"

// Error is the rule that a malformed message has broken. Every error of this package is an *Error.
type Error struct {
	// Status is what a server answers before it closes: 400, 414, 431, 501 or 505. A proxy says 502 for a response.
	Status int
	Rule   string // the rule; no two errors have the same
	Source string // the RFC section that has the rule, such as "RFC 9112 5.1"
}

// Error returns status, rule and source in one line.
func (e *Error) Error() string {
	return "httpparse: " + strconv.Itoa(e.Status) + ": " + e.Rule + " (" + e.Source + ")"
}

// The errors are shared by all parsers and never written.
var (
	errEmptyLines      = &Error{400, "too many empty lines before the request line", "RFC 9112 2.2"}
	errMethod          = &Error{400, "the method is not a token followed by one space", "RFC 9112 3.1"}
	errMethodTooLong   = &Error{501, "the method is longer than the limit", "RFC 9112 3"}
	errTarget          = &Error{400, "a byte that no request target may hold, or no space after the target", "RFC 9112 3.2"}
	errTargetForm      = &Error{400, "the target has none of the forms its method allows", "RFC 9112 3.2"}
	errTargetTooLong   = &Error{414, "the request target is longer than the limit", "RFC 9112 3"}
	errVersion         = &Error{400, "the version is not HTTP/ digit . digit at the end of the line", "RFC 9112 2.3"}
	errVersionMajor    = &Error{505, "the major version is not 1", "RFC 9110 15.6.6"}
	errStatusLine      = &Error{400, "the status line is not version, space, three digits, space, reason", "RFC 9112 4"}
	errReason          = &Error{400, "a control byte in the reason phrase", "RFC 9112 4"}
	errHeadTooLarge    = &Error{431, "the head is larger than the limit", "RFC 6585 5"}
	errAuthority       = &Error{400, "the target's authority is not a host with an optional port", "RFC 9110 7.2"}
	errConnectTarget   = &Error{400, "the target of CONNECT is not a host and a port", "RFC 9110 9.3.6"}
	errAsteriskTarget  = &Error{400, "the target * belongs to OPTIONS alone", "RFC 9112 3.2.4"}
	errBareCR          = &Error{400, "a CR that no LF follows", "RFC 9112 2.2"}
	errBareLF          = &Error{400, "a line that ends in LF without CR", "RFC 9112 2.2"}
	errLeadingSpace    = &Error{400, "white space before the first field", "RFC 9112 2.2"}
	errFold            = &Error{400, "a field line folded onto the next line", "RFC 9112 5.2"}
	errSpaceBefore     = &Error{400, "white space between a field's name and its colon", "RFC 9112 5.1"}
	errNoColon         = &Error{400, "a field line without a colon", "RFC 9112 5"}
	errFieldName       = &Error{400, "a field name that is not a token", "RFC 9110 5.1"}
	errFieldValue      = &Error{400, "a control byte in a field value", "RFC 9110 5.5"}
	errFieldTooLarge   = &Error{431, "a field line is longer than the limit", "RFC 6585 5"}
	errTooManyFields   = &Error{431, "more field lines than the limit", "RFC 6585 5"}
	errTrailerTooLarge = &Error{431, "the trailer section is larger than the limit", "RFC 6585 5"}
	errTrailerField    = &Error{400, "a field that no trailer may hold", "RFC 9110 6.5.1"}

	errHostMissing      = &Error{400, "an HTTP/1.1 request without a Host field", "RFC 9112 3.2"}
	errHostRepeated     = &Error{400, "more than one Host field", "RFC 9112 3.2"}
	errHost             = &Error{400, "the Host field is not a host with an optional port", "RFC 9110 7.2"}
	errLength           = &Error{400, "the Content-Length is not a decimal number below 2^63", "RFC 9110 8.6"}
	errLengthRepeated   = &Error{400, "more than one Content-Length", "RFC 9112 6.3"}
	errLengthAndCoding  = &Error{400, "Content-Length and Transfer-Encoding in one message", "RFC 9112 6.3"}
	errCoding           = &Error{400, "the Transfer-Encoding does not end in a single chunked", "RFC 9112 6.3"}
	errCodingOldVersion = &Error{400, "Transfer-Encoding in HTTP/1.0", "RFC 9112 6.1"}
	errCodingUnknown    = &Error{501, "a transfer coding other than chunked", "RFC 9112 6.1"}

	errChunkSize      = &Error{400, "the chunk size is not 1 to 16 hexadecimal digits at the end of the line", "RFC 9112 7.1"}
	errChunkTooLarge  = &Error{400, "the chunk size is 2^63 or more", "RFC 9112 7.1"}
	errChunkExtension = &Error{400, "a malformed chunk extension", "RFC 9112 7.1.1"}
	errExtensionLimit = &Error{400, "a chunk extension is longer than the limit", "RFC 9112 7.1.1"}
	errChunkOverhead  = &Error{400, "the body spends more bytes on chunk framing than the limit", "RFC 9112 7.1.1"}
	errChunkEnd       = &Error{400, "no CRLF after the data of a chunk", "RFC 9112 7.1"}
)
