package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scenario is one load, and the servers measured under it.
type scenario struct {
	Name  string
	About string
	peers []string

	connections   int
	holders       int // further connections, idle
	slow          int // further connections, which read slowly
	path          string
	body          int // bytes of a request's body, or of a message
	pipeline      int
	perConnection int     // requests
	rate          float64 // requests per second, open loop
	share         float64 // of the rate that eddy reaches in a closed loop: the rate of an open loop, for all peers
	rare          string  // target of every hundredth request, whose latency is not counted
	protocol      string  // of the load generator; empty: HTTP; parser: there is no load

	long  bool          // measured for all of -duration, others for half
	wrk   bool          // wrk can make this load
	quick bool          // part of -quick
	wait  time.Duration // before the measured time, in addition

	connecting time.Duration // estimated additional time to connect, for the plan

	goals map[string]float64 // of eddy's first figure, divided by a peer's

	uncounted bool // system calls are not counted: they do not belong to requests, or strace changes the load
}

// all is every server that answers HTTP, in the order of the tables.
func all() []string {
	return []string{"floor", "eddy", "adapter", "gnet", "evio", "nbio", "fasthttp", "hertz", "nethttp"}
}

// everyday is the peers at rates below what they reach.
func everyday() []string {
	return []string{"floor", "eddy", "adapter", "gnet", "fasthttp", "nethttp"}
}

// core is the most informative subset of the peers.
func core() []string { return []string{"floor", "eddy", "gnet", "fasthttp", "nethttp"} }

func scenarios() []scenario {
	core := core()
	web := []string{"eddy", "adapter", "fasthttp", "hertz", "nethttp"}
	plaintext := map[string]float64{"floor": 1.08, "gnet": 1, "nethttp": 0.5}
	raw := []string{"floor", "eddy", "gnet", "evio", "nbio", "net"}
	return []scenario{
		{Name: "plaintext-1", About: "one connection: isolated requests", peers: core, connections: 1, wrk: true},
		{Name: "plaintext-64", About: "64 connections", peers: all(), connections: 64, wrk: true, long: true, quick: true, goals: plaintext},
		{Name: "plaintext-512", About: "512 connections", peers: all(), connections: 512, wrk: true, long: true, goals: plaintext},
		{Name: "plaintext-10000", About: "10,000 connections, all active", peers: core, connections: 10_000},
		{Name: "pipelined-16", About: "64 connections, 16 requests at a time", peers: all(), connections: 64, pipeline: 16, wrk: true, long: true, quick: true, goals: map[string]float64{"floor": 1.25, "fasthttp": 0.5}},
		{Name: "rate-200", About: "64 connections, 200 requests per second at intended times", peers: everyday(), connections: 64, rate: 200, long: true},
		{Name: "rate-1000", About: "64 connections, 1,000 requests per second at intended times", peers: everyday(), connections: 64, rate: 1000, long: true},
		{Name: "rate-3000", About: "64 connections, 3,000 requests per second at intended times", peers: everyday(), connections: 64, rate: 3000, uncounted: true},
		{Name: "open-loop", About: "64 connections, 10,000 requests per second at intended times", peers: everyday(), connections: 64, rate: 10_000, uncounted: true},
		{Name: "rate-20000", About: "64 connections, 20,000 requests per second at intended times", peers: everyday(), connections: 64, rate: 20_000, uncounted: true},
		{Name: "mixed", About: "512 connections at half of eddy's load, 1 % of requests take 1 ms; latencies of the others", peers: []string{"eddy", "adapter", "gnet", "fasthttp", "nethttp"}, connections: 512, share: 0.5, rare: "/spin?us=1000", long: true, uncounted: true},
		{Name: "json", About: "64 connections, JSON encoded for each request", peers: []string{"eddy", "adapter", "gnet", "fasthttp", "hertz", "nethttp"}, connections: 64, path: "/json", wrk: true},
		{Name: "requests-10", About: "64 connections, each made again after 10 requests", peers: core, connections: 64, perConnection: 10},
		{Name: "connection-per-request", About: "64 clients, each request on a connection of its own", peers: core, connections: 64, perConnection: 1},
		{Name: "post-1k", About: "64 connections, bodies of 1 KiB, held whole", peers: web, connections: 64, path: "/upload", body: 1 << 10, wrk: true},
		{Name: "post-1m", About: "16 connections, bodies of 1 MiB, held whole", peers: web, connections: 16, path: "/upload", body: 1 << 20, wrk: true},
		{Name: "post-1m-streamed", About: "16 connections, bodies of 1 MiB, counted as they come", peers: []string{"eddy", "adapter", "nethttp"}, connections: 16, path: "/count", body: 1 << 20, wrk: true},
		{Name: "get-100k", About: "64 connections, answers of 100 KiB", peers: web, connections: 64, path: "/big?n=102400", wrk: true},
		{Name: "get-10m", About: "8 connections, answers of 10 MiB", peers: web, connections: 8, path: "/big?n=10485760", wrk: true, uncounted: true},
		{Name: "sleep-200ms", About: "1,000 connections, answered by a timer after 200 ms", peers: web, connections: 1000, path: "/sleep?ms=200", long: true, connecting: 1600 * time.Millisecond},
		{Name: "block-200ms", About: "1,000 connections, answered by a handler that blocks for 200 ms", peers: web, connections: 1000, path: "/block?ms=200", long: true, connecting: 1600 * time.Millisecond},
		{Name: "active-512-of-15000", About: "512 active connections beside 14,488 idle ones", peers: core, connections: 512, holders: 14_488},
		{Name: "slow-readers", About: "64 active connections beside 100 that read 10 MiB at 10 KiB/s", peers: []string{"eddy", "fasthttp", "hertz", "nethttp"}, connections: 64, slow: 100, wait: 3 * time.Second, uncounted: true},
		{Name: "idle-15000", About: "15,000 keep-alive connections that have had one answer each", peers: all(), holders: 15_000, wait: 2 * time.Second, quick: true, uncounted: true},
		{Name: "echo-64", About: "custom protocol: 64 connections, messages of 64 bytes", peers: raw, connections: 64, protocol: "echo", body: 64},
		{Name: "echo-1k", About: "custom protocol: 64 connections, messages of 1 KiB", peers: raw, connections: 64, protocol: "echo", body: 1 << 10, quick: true, goals: map[string]float64{"gnet": 1}},
		{Name: "echo-64k", About: "custom protocol: 64 connections, messages of 64 KiB", peers: raw, connections: 64, protocol: "echo", body: 64 << 10},
		{Name: "websocket", About: "WebSocket echo: 64 connections, messages of 128 bytes (eddy: examples/probe)", peers: []string{"eddy", "gorilla", "nbio"}, connections: 64, protocol: "websocket", path: "/ws", body: 128},
		{Name: "comet-10000", About: "10,000 clients wait, one notifies them all (examples/comet)", peers: []string{"eddy", "nethttp"}, connections: 10_000, protocol: "comet", path: "/wait", uncounted: true},
		{Name: "adapter", About: "the same net/http handler behind eddy's adapter and behind net/http, 64 connections", peers: []string{"adapter", "nethttp"}, connections: 64, path: "/json", wrk: true, long: true, quick: true, goals: map[string]float64{"nethttp": 1}},
		{Name: "parser", About: "the parsers alone, on one request again and again", peers: []string{"eddy", "fasthttp", "nethttp"}, protocol: "parser", uncounted: true},
	}
}

// target is the request target.
func (s scenario) target() string {
	if s.path == "" {
		return "/plaintext"
	}
	return s.path
}

func (s scenario) method() string {
	if s.body > 0 && s.protocol == "" {
		return "POST"
	}
	return "GET"
}

// idle reports whether the load is idle connections only.
func (s scenario) idle() bool { return s.connections == 0 && s.holders > 0 }

// asks reports whether requests or messages are measured.
func (s scenario) asks() bool { return !s.idle() && s.protocol != "comet" && s.protocol != "parser" }

// settling is the additional time until the load is steady.
func (s scenario) settling() time.Duration {
	if s.idle() {
		return 0 // watchIdle waits instead
	}
	return s.wait
}

// length is the measured time. wrk supports whole seconds only.
func (s scenario) length(long time.Duration, tool string) time.Duration {
	if s.idle() {
		return time.Millisecond
	}
	d := long
	if !s.long {
		d = long / 2
	}
	if tool == "wrk" {
		return max(time.Second, (d + time.Second/2).Truncate(time.Second))
	}
	return d
}

// loadArgs are the arguments of our load generator.
func (s scenario) loadArgs(address string, pid int, warm, duration time.Duration) []string {
	args := []string{"-address", address, "-path", s.target(), "-method", s.method(),
		"-connections", strconv.Itoa(s.connections), "-warm", (warm + s.settling()).String(), "-duration", duration.String(), "-pid", strconv.Itoa(pid)}
	add := func(flag string, n int) {
		if n > 0 {
			args = append(args, flag, strconv.Itoa(n))
		}
	}
	add("-holders", s.holders)
	add("-slow", s.slow)
	add("-body", s.body)
	add("-pipeline", s.pipeline)
	add("-per-connection", s.perConnection)
	if s.rate > 0 {
		args = append(args, "-rate", strconv.FormatFloat(s.rate, 'f', -1, 64))
	}
	if s.rare != "" {
		args = append(args, "-rare-path", s.rare)
	}
	if s.protocol != "" {
		args = append(args, "-protocol", s.protocol)
	}
	if s.idle() {
		args = append(args, "-hold")
	}
	return args
}

// keeping returns the scenario with a subset of its peers.
func (s scenario) keeping(keep func(peer string) bool) scenario {
	s.peers = slices.DeleteFunc(slices.Clone(s.peers), func(peer string) bool { return !keep(peer) })
	return s
}

// choose keeps the scenarios and peers that the flags name, both lists separated by
// commas, empty for all.
func choose(list []scenario, names, peers string) ([]scenario, error) {
	var chosen []scenario
	wanted, peerNames := split(names), split(peers)
	for _, name := range wanted {
		if !slices.ContainsFunc(list, func(s scenario) bool { return s.Name == name }) {
			return nil, fmt.Errorf("-scenario %s: there are %s", name, strings.Join(namesOf(list), ", "))
		}
	}
	for _, name := range peerNames {
		if there := everyPeer(); !slices.Contains(there, name) {
			return nil, fmt.Errorf("-peer %s: there are %s", name, strings.Join(there, ", "))
		}
	}
	for _, s := range list {
		if wanted != nil && !slices.Contains(wanted, s.Name) {
			continue
		}
		if peerNames != nil {
			s = s.keeping(func(peer string) bool { return slices.Contains(peerNames, peer) })
		}
		if len(s.peers) > 0 {
			chosen = append(chosen, s)
		}
	}
	if chosen == nil {
		return nil, fmt.Errorf("no scenario is left: no scenario of -scenario has a peer of -peer")
	}
	return chosen, nil
}

// everyPeer returns the peers of all scenarios.
func everyPeer() (names []string) {
	for _, s := range scenarios() {
		for _, peer := range s.peers {
			if !slices.Contains(names, peer) {
				names = append(names, peer)
			}
		}
	}
	return names
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

func namesOf(list []scenario) (names []string) {
	for _, s := range list {
		names = append(names, s.Name)
	}
	return names
}
