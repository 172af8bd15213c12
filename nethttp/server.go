package nethttp

import (
	"cmp"
	"net/http"
	"time"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/loop"
)

// NewServer returns a server for the handler of a net/http server. Request bodies are
// streamed; Flusher, Hijacker, CloseNotifier, ResponseController and trailers work; the
// context ends with the client. Every request has a goroutine of a pool: see NewAdapter.
//
// These fields of s have net/http's meaning: Handler, ReadTimeout, ReadHeaderTimeout,
// WriteTimeout, IdleTimeout, MaxHeaderBytes, BaseContext, ConnContext, ConnState, ErrorLog
// and DisableGeneralOptionsHandler. s must not change afterwards. It does not run: its
// methods have no effect. The package comment lists the differences.
//
// The options apply to everything else, and where a field of s is zero. The default limits of
// a head are net/http's: 1 MiB for the complete head. MaxBodyBytes has no default, because
// bodies are not kept in memory. After HandlerTimeout without a response the client gets 503,
// and a stream that is idle for so long is aborted. OnHead, if set, is called first, and may
// respond. BaseContext, ConnContext and ConnState of s replace OnOpen and ConnState of the
// options.
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

// New returns a server for a net/http handler, mux or framework: NewServer with only the
// handler set. nil is http.DefaultServeMux.
func New(h http.Handler, o http1.Options) (*http1.Server, error) {
	return NewServer(&http.Server{Handler: h}, o)
}

// The default timeouts of http1.Options.
const (
	defaultReadHeaderTimeout = 30 * time.Second
	defaultReadTimeout       = 30 * time.Second
)

// headSlop is the number of bytes that net/http accepts beyond MaxHeaderBytes.
const headSlop = 4 << 10

// maxFields is the default of Limits.Fields: net/http limits only the bytes of a head.
const maxFields = 10000

// configure applies the settings of the http.Server to the options. A negative duration there
// means no timeout: the option remains.
func (a *Adapter) configure(o *http1.Options) {
	s := a.server
	limits := &o.Limits
	if s.MaxHeaderBytes > 0 {
		limits.Head = s.MaxHeaderBytes + headSlop
	}
	limits.Head = cmp.Or(limits.Head, http.DefaultMaxHeaderBytes+headSlop)
	limits.RequestLine = cmp.Or(limits.RequestLine, limits.Head)
	limits.Field = cmp.Or(limits.Field, limits.Head)
	limits.Fields = cmp.Or(limits.Fields, maxFields)
	readTimeout, writeTimeout := max(s.ReadTimeout, 0), max(s.WriteTimeout, 0)
	o.ReadHeaderTimeout = cmp.Or(timeout(s.ReadHeaderTimeout, readTimeout, o.ReadHeaderTimeout), defaultReadHeaderTimeout)
	o.IdleTimeout = timeout(s.IdleTimeout, readTimeout, o.IdleTimeout)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, writeTimeout)
	if o.ReadTimeout == 0 && readTimeout > 0 {
		// The handler's own deadline comes first.
		o.ReadTimeout = max(defaultReadTimeout, readTimeout+time.Second)
	}
	a.setHooks(o)
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

// timeout returns the first of its arguments that is not zero, or the option if set is negative.
func timeout(set, read, option time.Duration) time.Duration {
	if set < 0 {
		return option
	}
	return cmp.Or(set, read, option)
}
