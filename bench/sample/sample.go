// Package sample has the figures of one run of one load on one server, from the load
// generator to the tables.
package sample

import (
	"fmt"
	"strings"
	"time"
)

// Sample is one run. A figure that was not measured is zero.
type Sample struct {
	Requests int64         `json:"requests"` // with a response within the measured time
	Total    int64         `json:"total"`    // including those before and after it
	Elapsed  time.Duration `json:"elapsed_ns"`
	Bytes    int64         `json:"bytes"` // received within the measured time

	CPU    time.Duration `json:"cpu_ns"` // of the server, by its CPU-time clock
	User   time.Duration `json:"user_ns"`
	System time.Duration `json:"system_ns"`
	Client time.Duration `json:"client_cpu_ns"` // of the load generator

	P50  time.Duration `json:"p50_ns"`
	P99  time.Duration `json:"p99_ns"`
	P999 time.Duration `json:"p999_ns"`
	Max  time.Duration `json:"max_ns"`

	RSS  int64 `json:"rss"`       // of the server at the end of the measured time, in bytes
	Base int64 `json:"rss_base"`  // before the load
	Idle int64 `json:"rss_given"` // idle, after free memory was returned to the kernel

	Allocations float64            `json:"allocations"` // per request
	Calls       map[string]float64 `json:"calls,omitempty"`

	Parses map[string]Parse `json:"parses,omitempty"` // of a parser alone, by request

	Errors Errors `json:"errors"`
}

// Parse is a parser's cost for one request.
type Parse struct {
	NS          float64 `json:"ns"`
	Allocations float64 `json:"allocations"`
	Bytes       int     `json:"bytes"` // of the request
}

// Errors counts the errors of a run. Any error voids it.
type Errors struct {
	Connect int64 `json:"connect"`
	Read    int64 `json:"read"`
	Write   int64 `json:"write"`
	Status  int64 `json:"status"`  // not 2xx, or an unexpected response
	Timeout int64 `json:"timeout"` // no response in time
}

// Sum is the number of all errors.
func (e Errors) Sum() int64 { return e.Connect + e.Read + e.Write + e.Status + e.Timeout }

func (e Errors) String() string {
	var parts []string
	for _, kind := range []struct {
		name string
		n    int64
	}{
		{"connect", e.Connect}, {"read", e.Read}, {"write", e.Write},
		{"status", e.Status}, {"timeout", e.Timeout},
	} {
		if kind.n != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", kind.n, kind.name))
		}
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// PerRequest is the server's processor time for a request.
func (s Sample) PerRequest() time.Duration {
	if s.Requests == 0 {
		return 0
	}
	return s.CPU / time.Duration(s.Requests)
}

// Rate is in requests per second.
func (s Sample) Rate() float64 {
	if s.Elapsed == 0 {
		return 0
	}
	return float64(s.Requests) / s.Elapsed.Seconds()
}
