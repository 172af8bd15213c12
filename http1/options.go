package http1

import (
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"reflect"
	"time"

	"github.com/eddynet/eddy/httpparse"
	"github.com/eddynet/eddy/internal/defaults"
	"github.com/eddynet/eddy/loop"
)

// Options configures a Server. A zero field has a finite default. A negative value is an error.
type Options struct {
	// ReadHeaderTimeout limits the time of a head, from its first byte: 408. Default: 30 s.
	ReadHeaderTimeout time.Duration
	// ReadTimeout limits that of a body: 408. Every MinBodyRate bytes add a second. Default: 30 s.
	ReadTimeout time.Duration
	// MinBodyRate is in bytes per second; see ReadTimeout. Default: 4 KiB.
	MinBodyRate int
	// HandlerTimeout limits the time until a deferred response: 503; and between two pieces of a
	// stream, which is aborted. Default: 5 minutes.
	HandlerTimeout time.Duration
	// WriteTimeout ends a connection whose peer does not accept 16 KiB of output, or all there is,
	// in this time. Default: that of the engine.
	WriteTimeout time.Duration
	// IdleTimeout ends a connection without a request. A new connection has the shorter of
	// IdleTimeout and ReadHeaderTimeout. Default: 2 minutes.
	IdleTimeout time.Duration

	// Limits bounds the parts of a request: its head, chunks and trailer section.
	Limits httpparse.Limits
	// MaxBodyBytes limits a body, also for OnBody: 413. See Request.SetMaxBody. Default: 4 MiB.
	MaxBodyBytes int64
	// MaxDiscardBytes limits the discarded rest of a body after an early response. A longer one
	// closes the connection. Default: 256 KiB.
	MaxDiscardBytes int64

	// OnOpen is called when a connection opens, on the loop, and must not block. Request.ConnValue
	// returns its result. Default: none.
	OnOpen func(c *loop.Conn) (value any)
	// ConnState is called when a connection changes state, with the value of OnOpen:
	// http.StateActive at the first byte of a request, http.StateIdle after its response,
	// http.StateHijacked when the connection leaves HTTP, and http.StateClosed at its end. It runs
	// on the loop and must not block. Default: none.
	ConnState func(value any, state http.ConnState)
	// OnHead is called at the end of a head, before the body and the handler. It may respond at
	// once (w.Finish), respond in place of the handler (w.Defer, w.Stream), have the body delivered
	// in pieces (r.OnBody), or change its limit (r.SetMaxBody). Default: none.
	OnHead Handler
	// ServerName is the value of the field Server; a hyphen omits the field. Default: "eddy".
	ServerName string
	// AccessLog gets a record for each response: remote, method, target, status, bytes of body,
	// duration from the end of the head. See loop.Loop.AsyncLogger. Default: none.
	AccessLog *slog.Logger
	// AllowConnect passes CONNECT requests to the handler. Without it, the response is 501.
	AllowConnect bool
}

const defaultMaxBody = 4 << 20 // of MaxBodyBytes

func (o Options) withDefaults() (Options, error) {
	d := defaults.Of("http1: Options")
	defaults.Set(d, "ReadHeaderTimeout", &o.ReadHeaderTimeout, 30*time.Second)
	defaults.Set(d, "ReadTimeout", &o.ReadTimeout, 30*time.Second)
	defaults.Set(d, "HandlerTimeout", &o.HandlerTimeout, 5*time.Minute)
	defaults.Set(d, "WriteTimeout", &o.WriteTimeout, 0)
	defaults.Set(d, "IdleTimeout", &o.IdleTimeout, 2*time.Minute)
	defaults.Set(d, "MinBodyRate", &o.MinBodyRate, 4<<10)
	defaults.Set(d, "MaxBodyBytes", &o.MaxBodyBytes, defaultMaxBody)
	defaults.Set(d, "MaxDiscardBytes", &o.MaxDiscardBytes, 256<<10)
	setLimits(d, &o.Limits)
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
		return o, fmt.Errorf("http1: Options.ServerName is %q: it must not contain control bytes", o.ServerName)
	}
	return o, nil
}

// setLimits sets the zero fields of Limits, which has only int fields.
func setLimits(d *defaults.Options, limits *httpparse.Limits) {
	fields, byDefault := reflect.ValueOf(limits).Elem(), reflect.ValueOf(httpparse.Limits{}.WithDefaults())
	for i := range fields.NumField() {
		name, value := "Limits."+fields.Type().Field(i).Name, fields.Field(i).Addr().Interface().(*int)
		defaults.Set(d, name, value, int(byDefault.Field(i).Int()))
	}
}

func (o *Options) tune(s *loop.Settings) {
	if o.WriteTimeout > 0 {
		s.WriteTimeout = o.WriteTimeout
	}
	// An incomplete head remains in the input buffer, followed by up to one read.
	s.MaxInput = max(s.MaxInput, min(o.Limits.Head, math.MaxInt-(1<<20))+1<<20)
}
