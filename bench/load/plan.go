//go:build linux

package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/gobwas/ws"
)

// plan holds the flags.
type plan struct {
	address  string
	protocol string // http, echo, websocket, comet

	connections int // that send requests repeatedly
	holders     int // that send one request and stay idle
	slow        int // that request slowPath and read slowly
	slowRate    int // bytes per second, each
	slowPath    string

	method, path  string
	body          int // bytes of a request's body, or of a message
	pipeline      int
	perConnection int // requests, then a new connection; 0: no limit

	rarePath       string  // target of every hundredth request; empty: there are none
	rate           float64 // requests per second of an open loop; 0: closed
	warm, duration time.Duration
	requests       int64 // ends the measured time before duration, unless 0
	timeout        time.Duration
	pid            int // the server, whose processor time and memory are measured
	await          bool
	drain          bool
	hold           bool
}

func parsePlan(args []string) (plan, error) {
	var p plan
	f := flag.NewFlagSet("load", flag.ContinueOnError)
	f.SetOutput(io.Discard) // main prints the error
	f.StringVar(&p.address, "address", "127.0.0.1:8080", "the server, an IPv4 address and a port")
	f.StringVar(&p.protocol, "protocol", "http", "http, echo, websocket or comet")
	f.IntVar(&p.connections, "connections", 64, "connections that send requests repeatedly")
	f.IntVar(&p.holders, "holders", 0, "connections that send one request and stay idle")
	f.IntVar(&p.slow, "slow", 0, "connections that read slowly")
	f.IntVar(&p.slowRate, "slow-rate", 10<<10, "bytes per second that each of them reads")
	f.StringVar(&p.slowPath, "slow-path", "/big?n=10485760", "their request target")
	f.StringVar(&p.method, "method", "GET", "method")
	f.StringVar(&p.path, "path", "/plaintext", "request target")
	f.StringVar(&p.rarePath, "rare-path", "", "request target of every hundredth request, whose latency is not counted")
	f.IntVar(&p.body, "body", 0, "bytes of a request's body, or of a message")
	f.IntVar(&p.pipeline, "pipeline", 1, "requests sent together")
	f.IntVar(&p.perConnection, "per-connection", 0, "requests per connection; 0: no limit")
	f.Float64Var(&p.rate, "rate", 0, "requests per second, at intended times; 0: the next request follows the response")
	f.DurationVar(&p.warm, "warm", 500*time.Millisecond, "time before the measured time")
	f.DurationVar(&p.duration, "duration", 2*time.Second, "measured time")
	f.Int64Var(&p.requests, "requests", 0, "end after this many, unless 0")
	f.DurationVar(&p.timeout, "timeout", 10*time.Second, "time after which a missing response is an error")
	f.IntVar(&p.pid, "pid", 0, "process of the server, to measure it")
	f.BoolVar(&p.await, "await", false, "write a line when all connections are made, and start after a byte on standard input")
	f.BoolVar(&p.drain, "drain", false, "count the responses to all requests of the measured time, including later ones")
	f.BoolVar(&p.hold, "hold", false, "keep the connections until standard input is closed")
	if err := f.Parse(args); err != nil {
		return p, err
	}
	return p, p.check()
}

// check validates the flags.
func (p plan) check() error {
	switch {
	case !slices.Contains([]string{"http", "echo", "websocket", "comet"}, p.protocol):
		return fmt.Errorf("-protocol %s: must be http, echo, websocket or comet", p.protocol)
	case p.connections < 0 || p.holders < 0 || p.slow < 0 || p.body < 0 || p.perConnection < 0 || p.rate < 0:
		return fmt.Errorf("a number is negative")
	case p.connections+p.holders == 0:
		return fmt.Errorf("nothing to do: set -connections or -holders")
	case p.pipeline < 1:
		return fmt.Errorf("-pipeline %d: must be at least 1", p.pipeline)
	case p.pipeline > 1 && (p.perConnection > 0 || p.rate > 0):
		return fmt.Errorf("-pipeline cannot be combined with -per-connection or -rate")
	case p.rarePath != "" && (p.pipeline > 1 || p.perConnection > 0 || p.protocol != "http"):
		return fmt.Errorf("-rare-path needs -protocol http, without -pipeline and -per-connection")
	case p.protocol != "http" && p.perConnection > 0:
		return fmt.Errorf("-per-connection needs -protocol http")
	case p.protocol != "http" && p.protocol != "comet" && p.body == 0:
		return fmt.Errorf("-protocol %s needs messages: set -body", p.protocol)
	case p.duration <= 0 || p.timeout <= 0:
		return fmt.Errorf("-duration and -timeout must be positive")
	}
	return nil
}

// messages are the bytes to send, shared by all connections.
type messages struct {
	first []byte // first request of a connection; nil: usual
	usual []byte
	last  []byte // before the connection ends
	rare  []byte // every hundredth; nil: there are none
	sip   []byte // of a connection that reads slowly
	echo  []byte // the expected echo, unless the protocol is http
}

func (p plan) messages() messages {
	payload := bytes.Repeat([]byte("x"), p.body)
	switch p.protocol {
	case "echo":
		return messages{usual: bytes.Repeat(payload, p.pipeline), echo: payload}
	case "websocket":
		frame := ws.MustCompileFrame(ws.MaskFrame(ws.NewBinaryFrame(payload)))
		return messages{
			first: p.request("GET", p.path, "Connection: Upgrade\r\nUpgrade: websocket\r\n"+
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", nil),
			usual: bytes.Repeat(frame, p.pipeline),
			echo:  ws.MustCompileFrame(ws.NewBinaryFrame(payload)),
		}
	}
	fields := ""
	if len(payload) > 0 {
		fields = fmt.Sprintf("Content-Type: text/plain\r\nContent-Length: %d\r\n", len(payload))
	}
	usual := p.request(p.method, p.path, fields, payload)
	var rare []byte
	if p.rarePath != "" {
		rare = p.request("GET", p.rarePath, "", nil)
	}
	return messages{
		rare:  rare,
		usual: bytes.Repeat(usual, p.pipeline),
		last:  p.request(p.method, p.path, fields+"Connection: close\r\n", payload),
		sip:   p.request("GET", p.slowPath, "", nil),
	}
}

func (p plan) request(method, path, fields string, body []byte) []byte {
	return append([]byte(method+" "+path+" HTTP/1.1\r\nHost: "+p.address+"\r\n"+fields+"\r\n"), body...)
}
