package nethttp

import (
	"cmp"
	"net/http"
	"time"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/loop"
)

// NewServer serves the handler of a net/http server, with a request body that
// streams, Flusher, Hijacker, CloseNotifier, ResponseController, trailers, and a context
// that ends with the client. Every request has a goroutine, as there, of a pool that
// NewAdapter describes.
//
// These fields of s have net/http's meaning: Handler, ReadTimeout, ReadHeaderTimeout,
// WriteTimeout, IdleTimeout, MaxHeaderBytes, BaseContext, ConnContext, ConnState, ErrorLog
// and DisableGeneralOptionsHandler. s must not change afterwards, and does not run: its
// methods have no effect. The package comment lists the differences.
//
// The options hold for everything else, and where a field of s is zero: limits of a head
// that are zero have net/http's default, which is 1 MiB for all of it. MaxBodyBytes, which
// is about bodies held in memory, counts only if it is set. A handler that answers nothing
// for HandlerTimeout gets its client a 503, and a stream that is idle for so long is
// aborted. If OnHead is set, it comes first, and may take a request over. BaseContext,
// ConnContext and ConnState of s take the place of OnOpen and ConnState of the options.
func NewServer(s *http.Server, o http1.Options) (*http1.Server, error) {
	a, first, limit := newAdapter(s, nil), o.OnHead, o.MaxBodyBytes
	o.OnHead = func(w *http1.Response, r *http1.Request) {
		if first != nil {
			if first(w, r); w.Handled() {
				return
			}
		}
		a.OnHead(w, r)
		if limit > 0 {
			r.SetMaxBody(limit)
		}
	}
	a.configure(&o)
	return http1.New(func(*http1.Response, *http1.Request) {}, o) // OnHead takes every request
}

// New serves a net/http handler, mux or framework, unchanged: NewServer with nothing set
// but the handler. Without one, it serves http.DefaultServeMux.
func New(h http.Handler, o http1.Options) (*http1.Server, error) {
	return NewServer(&http.Server{Handler: h}, o)
}

// The timeouts of reading, unless they are set: those of http1.Options.
const (
	defaultReadHeaderTimeout = 30 * time.Second
	defaultReadTimeout       = 30 * time.Second
)

// headSlop is the number of bytes of a head that net/http reads beyond MaxHeaderBytes.
const headSlop = 4 << 10

// fieldsMost is the default of MaxFields: net/http counts bytes only.
const fieldsMost = 10000

// configure fits options to the settings of the http.Server, where a negative duration means
// that there is no timeout: then that of the options holds.
func (a *Adapter) configure(o *http1.Options) {
	s := a.server
	if s.MaxHeaderBytes > 0 {
		o.MaxHeaderBytes = s.MaxHeaderBytes + headSlop
	}
	o.MaxHeaderBytes = cmp.Or(o.MaxHeaderBytes, http.DefaultMaxHeaderBytes+headSlop)
	o.MaxRequestLine = cmp.Or(o.MaxRequestLine, o.MaxHeaderBytes)
	o.MaxFieldBytes = cmp.Or(o.MaxFieldBytes, o.MaxHeaderBytes)
	o.MaxFields = cmp.Or(o.MaxFields, fieldsMost)
	readTimeout, writeTimeout := max(s.ReadTimeout, 0), max(s.WriteTimeout, 0)
	o.ReadHeaderTimeout = cmp.Or(timeout(s.ReadHeaderTimeout, readTimeout, o.ReadHeaderTimeout), defaultReadHeaderTimeout)
	o.IdleTimeout = timeout(s.IdleTimeout, readTimeout, o.IdleTimeout)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, writeTimeout)
	if o.ReadTimeout == 0 && readTimeout > 0 {
		// The handler is to learn of its own deadline first.
		o.ReadTimeout = max(defaultReadTimeout, readTimeout+time.Second)
	}
	a.observe(o)
	if first := o.ReadHeaderTimeout; o.IdleTimeout > 0 && o.IdleTimeout < first {
		open := o.OnOpen
		o.OnOpen = func(c *loop.Conn) (value any) {
			c.SetTimeout(first) // net/http has no IdleTimeout before the first request
			if open != nil {
				value = open(c)
			}
			return value
		}
	}
}

// timeout is set, or else, if it is zero, the read timeout, or else the option.
func timeout(set, read, option time.Duration) time.Duration {
	if set < 0 {
		return option
	}
	return cmp.Or(set, read, option)
}
