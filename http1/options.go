package http1

import (
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"time"

	"github.com/eddynet/eddy/httpparse"
	"github.com/eddynet/eddy/internal/defaults"
	"github.com/eddynet/eddy/loop"
)

// Options configures a Server. The zero value works: a field that is zero has the
// default that its comment gives, and all of them are finite. A negative value is
// an error of New.
type Options struct {
	// ReadHeaderTimeout bounds the time from the first byte of a head to its last:
	// 408. Default: 30 s.
	ReadHeaderTimeout time.Duration
	// ReadTimeout bounds the time that a body takes: 408. Every MinBodyRate bytes
	// that have come add a second. Default: 30 s.
	ReadTimeout time.Duration
	// MinBodyRate is in bytes per second; see ReadTimeout. Default: 4 KiB.
	MinBodyRate int
	// HandlerTimeout bounds the time that an answer may be deferred: 503; and that
	// a stream may rest: it is aborted. Default: 5 minutes.
	HandlerTimeout time.Duration
	// WriteTimeout ends a connection whose peer does not take its output: 16 KiB,
	// or all there is, within this time. Default: the engine's.
	WriteTimeout time.Duration
	// IdleTimeout ends a connection without a request. A new one is ended earlier,
	// by ReadHeaderTimeout, if that is shorter. Default: 2 minutes.
	IdleTimeout time.Duration

	// MaxHeaderBytes bounds a head, from the request line to the empty line: 431.
	// Default: 64 KiB.
	MaxHeaderBytes int
	// MaxRequestLine bounds the request line: 414. Default: 8 KiB.
	MaxRequestLine int
	// MaxMethod bounds the method in bytes: 501. Default: 32.
	MaxMethod int
	// MaxFieldBytes bounds one field line: 431. Default: 16 KiB.
	MaxFieldBytes int
	// MaxFields bounds the number of fields: 431. Default: 128.
	MaxFields int
	// MaxEmptyLines bounds the empty lines before a request: 400. Default: 4.
	MaxEmptyLines int
	// MaxBodyBytes bounds a body, held in memory or given to OnBody, unless OnHead
	// calls SetMaxBody: 413. Default: 4 MiB.
	MaxBodyBytes int64
	// MaxDiscardBytes bounds a body that is read away after an early answer, so that
	// the connection can go on; with a longer one it is closed. Default: 256 KiB.
	MaxDiscardBytes int64
	// MaxChunkExtension bounds one chunk's extensions in bytes: 400. Default: 256.
	MaxChunkExtension int
	// MaxChunkOverhead bounds what chunked framing may cost beyond a fair share of
	// the data, in bytes: 400. Default: 16 KiB.
	MaxChunkOverhead int
	// MaxTrailerBytes and MaxTrailerFields bound a trailer section: 431. Default:
	// 8 KiB, 32.
	MaxTrailerBytes, MaxTrailerFields int

	// OnOpen is called when a connection opens. Its result is what Request.ConnValue
	// returns for the requests of the connection. It runs on the loop and must not
	// block. Default: none.
	OnOpen func(c *loop.Conn) (value any)
	// ConnState is called when a connection changes its state, with the value of
	// OnOpen: http.StateActive with the first byte of a request, http.StateIdle after
	// its answer, http.StateHijacked when the connection leaves HTTP, and
	// http.StateClosed at its end. It runs on the loop and must not block. Default: none.
	ConnState func(value any, state http.ConnState)
	// OnHead is called at the end of a head, before the body has come and before the
	// handler. It may answer at once (w.Finish), take the answer over (w.Defer,
	// w.Stream) so that the handler is not called, have the body delivered piece by
	// piece (r.OnBody), or change the limit of the body (r.SetMaxBody). Default: none.
	OnHead Handler
	// ServerName is the value of the field Server. Default: "eddy". A hyphen leaves
	// the field out.
	ServerName string
	// AccessLog receives one record for each answer: remote, method, target, status,
	// bytes of body, duration from the end of the head. The loop does not wait for it:
	// see loop.Loop.AsyncLogger. Default: none.
	AccessLog *slog.Logger
	// AllowConnect lets CONNECT requests reach the handler. They are answered with
	// 501 otherwise.
	AllowConnect bool
}

// defaultMaxBody is MaxBodyBytes, unless it is set.
const defaultMaxBody = 4 << 20

// defaultMaxDiscard is MaxDiscardBytes, unless it is set.
const defaultMaxDiscard = 256 << 10

// The timeouts of reading, unless they are set.
const (
	defaultReadHeaderTimeout = 30 * time.Second
	defaultReadTimeout       = 30 * time.Second
)

// withDefaults returns the options filled in, or an error that names the field.
func (o Options) withDefaults() (Options, error) {
	d := defaults.Of("http1: Options")
	limits := httpparse.Limits{}.WithDefaults()
	defaults.Set(d, "ReadHeaderTimeout", &o.ReadHeaderTimeout, defaultReadHeaderTimeout)
	defaults.Set(d, "ReadTimeout", &o.ReadTimeout, defaultReadTimeout)
	defaults.Set(d, "HandlerTimeout", &o.HandlerTimeout, 5*time.Minute)
	defaults.Set(d, "WriteTimeout", &o.WriteTimeout, 0)
	defaults.Set(d, "IdleTimeout", &o.IdleTimeout, 2*time.Minute)
	defaults.Set(d, "MinBodyRate", &o.MinBodyRate, 4<<10)
	defaults.Set(d, "MaxHeaderBytes", &o.MaxHeaderBytes, limits.Head)
	defaults.Set(d, "MaxRequestLine", &o.MaxRequestLine, limits.RequestLine)
	defaults.Set(d, "MaxMethod", &o.MaxMethod, limits.Method)
	defaults.Set(d, "MaxFieldBytes", &o.MaxFieldBytes, limits.Field)
	defaults.Set(d, "MaxFields", &o.MaxFields, limits.Fields)
	defaults.Set(d, "MaxEmptyLines", &o.MaxEmptyLines, limits.EmptyLines)
	defaults.Set(d, "MaxChunkExtension", &o.MaxChunkExtension, limits.Extension)
	defaults.Set(d, "MaxChunkOverhead", &o.MaxChunkOverhead, limits.Overhead)
	defaults.Set(d, "MaxTrailerBytes", &o.MaxTrailerBytes, limits.Trailer)
	defaults.Set(d, "MaxTrailerFields", &o.MaxTrailerFields, limits.TrailerFields)
	defaults.Set(d, "MaxBodyBytes", &o.MaxBodyBytes, defaultMaxBody)
	defaults.Set(d, "MaxDiscardBytes", &o.MaxDiscardBytes, defaultMaxDiscard)
	if err := d.Err(); err != nil {
		return o, err
	}
	switch o.ServerName {
	case "":
		o.ServerName = "eddy"
	case "-":
		o.ServerName = ""
	}
	if !httpparse.IsFieldValue(o.ServerName) {
		return o, fmt.Errorf("http1: Options.ServerName is %q: it must not hold control bytes", o.ServerName)
	}
	return o, nil
}

// limits are the options that bound parsing.
func (o *Options) limits() httpparse.Limits {
	return httpparse.Limits{
		RequestLine:   o.MaxRequestLine,
		Method:        o.MaxMethod,
		Head:          o.MaxHeaderBytes,
		Field:         o.MaxFieldBytes,
		Fields:        o.MaxFields,
		EmptyLines:    o.MaxEmptyLines,
		Extension:     o.MaxChunkExtension,
		Overhead:      o.MaxChunkOverhead,
		Trailer:       o.MaxTrailerBytes,
		TrailerFields: o.MaxTrailerFields,
	}
}

// tune fits the settings of a listener's connections to the options.
func (o *Options) tune(s *loop.Settings) {
	if o.WriteTimeout > 0 {
		s.WriteTimeout = o.WriteTimeout
	}
	// A head that is not complete is kept as unused input, and behind it there may
	// be as much as one read brings.
	s.MaxInput = max(s.MaxInput, min(o.MaxHeaderBytes, math.MaxInt-(1<<20))+1<<20)
}
