package httpparse

const (
	defaultRequestLine   = 8192
	defaultMethod        = 32
	defaultHead          = 64 << 10
	defaultField         = 16 << 10
	defaultFields        = 128
	defaultEmptyLines    = 4
	defaultExtension     = 256
	defaultOverhead      = 16 << 10
	defaultTrailer       = 8 << 10
	defaultTrailerFields = 32
)

// Limits bounds the memory and the work that one message may cost. Each comment has the status of the error, which
// comes at the first byte beyond a limit. A field that is zero or negative means its default, and a nil *Limits all
// defaults. Parsers on any number of goroutines may share a Limits that does not change.
type Limits struct {
	// RequestLine bounds the request line in bytes, without its CRLF: 414 in the target. Default: 8 KiB. RFC 9112
	// section 3 asks for 8000 bytes at least.
	RequestLine int
	// Method bounds the method in bytes: 501. Default: 32.
	Method int
	// Head bounds the head in bytes, empty lines before it included: 414 in the target, otherwise 431. Default: 64 KiB.
	Head int
	// Field bounds one field line in bytes, without its CRLF, in heads and in trailers: 431. Default: 16 KiB.
	Field int
	// Fields bounds the number of field lines of a head: 431. Default: 128.
	Fields int
	// EmptyLines bounds the number of empty lines before a request line: 400. Default: 4.
	EmptyLines int

	// Extension bounds the bytes between a chunk's size and its CRLF: 400. Default: 256.
	Extension int
	// Overhead bounds the bytes of chunk framing (size lines, extensions and CRLFs) of a body, beyond a share of 16
	// bytes for each chunk and one for each byte of data, which is not carried over to the next: 400. Default: 16 KiB.
	Overhead int
	// Trailer bounds the whole trailer section in bytes, its last CRLF included: 431. Default: 8 KiB.
	Trailer int
	// TrailerFields bounds the number of field lines of a trailer section: 431. Default: 32.
	TrailerFields int
}

// WithDefaults returns l with the default for each field that is zero or negative.
func (l Limits) WithDefaults() Limits {
	return Limits{
		RequestLine:   orDefault(l.RequestLine, defaultRequestLine),
		Method:        orDefault(l.Method, defaultMethod),
		Head:          orDefault(l.Head, defaultHead),
		Field:         orDefault(l.Field, defaultField),
		Fields:        orDefault(l.Fields, defaultFields),
		EmptyLines:    orDefault(l.EmptyLines, defaultEmptyLines),
		Extension:     orDefault(l.Extension, defaultExtension),
		Overhead:      orDefault(l.Overhead, defaultOverhead),
		Trailer:       orDefault(l.Trailer, defaultTrailer),
		TrailerFields: orDefault(l.TrailerFields, defaultTrailerFields),
	}
}

var noLimits Limits // never written; a nil *Limits means this

func orDefault(limit, fallback int) int {
	if limit <= 0 {
		return fallback
	}
	return limit
}

// prefix returns the part of buf that a head or a trailer section of at most limit bytes may occupy.
func prefix(buf []byte, limit int) []byte { return buf[:min(len(buf), limit, maxOffset)] }

// maxOffset keeps every offset within a Span, and within an int of 32 bits.
const maxOffset = 1<<31 - 1
