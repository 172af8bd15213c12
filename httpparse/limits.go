package httpparse

// Defaults of the fields of Limits.
const (
	DefaultRequestLine   = 8192
	DefaultMethod        = 32
	DefaultHead          = 64 << 10
	DefaultField         = 16 << 10
	DefaultFields        = 128
	DefaultEmptyLines    = 4
	DefaultExtension     = 256
	DefaultOverhead      = 16 << 10
	DefaultTrailer       = 8 << 10
	DefaultTrailerFields = 32
)

// Limits bounds what one message may make the caller hold and the parser read. A field that is zero or negative
// means its default, so the zero Limits, and a nil *Limits, are usable. The same Limits may serve any number of
// parsers on any number of goroutines, as long as nobody writes to it.
//
// A limit is reported at the first byte beyond it, whether or not the line that breaks it has ended.
type Limits struct {
	// RequestLine bounds the request line in bytes, without its CRLF: 414 in the target. RFC 9112 section 3
	// asks for 8000 at least.
	RequestLine int
	// Method bounds the method in bytes: 501.
	Method int
	// Head bounds the whole head in bytes, from the first empty line to the last CRLF: 414 in the target,
	// 431 anywhere else.
	Head int
	// Field bounds one field line in bytes, without its CRLF, in heads and in trailers: 431.
	Field int
	// Fields bounds the number of field lines of a head: 431.
	Fields int
	// EmptyLines bounds the number of empty lines before a request line: 400.
	EmptyLines int

	// Extension bounds the bytes between a chunk's size and its CRLF: 400.
	Extension int
	// Overhead bounds the bytes a body may spend on chunk framing (size lines, extensions and CRLFs) beyond a
	// fair share, which is 16 bytes a chunk and one byte for each byte of data: 400. An unused share is not
	// carried over to the next chunk.
	Overhead int
	// Trailer bounds the whole trailer section in bytes, its last CRLF included: 431.
	Trailer int
	// TrailerFields bounds the number of field lines of a trailer section: 431.
	TrailerFields int
}

var noLimits Limits // never written: what a nil *Limits stands for

func orDefault(limit, fallback int) int {
	if limit <= 0 {
		return fallback
	}
	return limit
}

// headView returns the part of buf that a head of at most limit bytes may occupy.
func headView(buf []byte, limit int) []byte {
	limit = min(limit, maxView)
	if len(buf) > limit {
		return buf[:limit]
	}
	return buf
}

// maxView keeps every offset within a Span, and within an int of 32 bits.
const maxView = 1<<31 - 1
