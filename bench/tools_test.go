package main

import (
	"strings"
	"testing"
	"time"
)

func TestWrkFiguresAreParsed(t *testing.T) {
	s, err := parseWrk("Running 1s test\n\nsample {\"requests\":1000,\"us\":2000000,\"bytes\":5,\"p50\":10,\"p99\":20," +
		"\"p999\":30,\"max\":40,\"connect\":1,\"read\":2,\"write\":3,\"status\":4,\"timeout\":5}\n")
	if err != nil {
		t.Fatal(err)
	}
	if s.Requests != 1000 || s.Rate() != 500 || s.P50 != 10*time.Microsecond || s.P999 != 30*time.Microsecond || s.Errors.Sum() != 15 {
		t.Errorf("%+v", s)
	}
	for _, bad := range []string{"", "\nsample {\n"} {
		if _, err := parseWrk(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

func TestWrkSendsTheScenariosRequest(t *testing.T) {
	script := wrkScript(scenario{path: "/upload", body: 7, pipeline: 16})
	for _, want := range []string{`wrk.method = "POST"`, `string.rep("x", 7)`, `string.rep(wrk.format(), 16)`, "function done("} {
		if !strings.Contains(script, want) {
			t.Errorf("no %s in\n%s", want, script)
		}
	}
	if script := wrkScript(scenario{}); strings.Contains(script, "function request") {
		t.Error("wrk would call Lua for each request")
	}
}

func TestCallsAreCounted(t *testing.T) {
	calls, err := parseCalls(`% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000300           1       200           write
 30.00    0.000150           1       200        10 read
 10.00    0.000050           1        50           nanosleep
------ ----------- ----------- --------- --------- ----------------
100.00    0.000500           1       450        10 total
`, 100)
	if err != nil {
		t.Fatal(err)
	}
	if calls["write"] != 2 || calls["read"] != 2 || calls["nanosleep"] != 0.5 || len(calls) != 3 {
		t.Error(calls)
	}
	if sum := served(calls); sum != 4 {
		t.Errorf("%v calls serve a request, want 4 without nanosleep", sum)
	}
	if _, err := parseCalls("strace: not permitted\n", 1); err == nil {
		t.Error("no error for output without a table")
	}
}

func TestWrkMeasuresWholeSeconds(t *testing.T) {
	for _, c := range []struct {
		s    scenario
		tool string
		want time.Duration
	}{
		{scenario{connections: 1, long: true}, "load", 3 * time.Second},
		{scenario{connections: 1}, "load", 1500 * time.Millisecond},
		{scenario{connections: 1}, "wrk", 2 * time.Second},
		{scenario{connections: 1, long: true}, "wrk", 3 * time.Second},
		{scenario{holders: 5, long: true}, "load", time.Millisecond},
	} {
		if got := c.s.length(3*time.Second, c.tool); got != c.want {
			t.Errorf("%+v with %s takes %v, want %v", c.s, c.tool, got, c.want)
		}
	}
}
