package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/eddynet/eddy/bench/proc"
	"github.com/eddynet/eddy/bench/sample"
)

// runWrk makes the load with wrk. The server's processor time is that of the whole run,
// including connecting, since wrk does not report when the measured time begins.
func (b *bench) runWrk(r *run, s scenario, v *server) error {
	script := filepath.Join(b.programs.folder, s.Name+".lua")
	if err := os.WriteFile(script, []byte(wrkScript(s)), 0o666); err != nil {
		return err
	}
	length := s.length(b.duration, "wrk")
	cmd := b.client("wrk", "-t", "1", "-c", strconv.Itoa(s.connections), "-d", strconv.Itoa(int(length.Seconds())),
		"--timeout", "10s", "-s", script, "http://"+v.address+s.target())
	r.Client = strings.Join(cmd.Args, " ")
	before, err := proc.UsageOf(v.pid())
	if err != nil {
		return err
	}
	out, err := cmd.CombinedOutput()
	r.Output = string(out)
	if err != nil {
		return fmt.Errorf("wrk: %w: %s", err, bytes.TrimSpace(out))
	}
	after, err := proc.UsageOf(v.pid())
	if err != nil {
		return err
	}
	if r.Sample, err = parseWrk(r.Output); err != nil {
		return err
	}
	used := after.Since(before)
	r.Sample.CPU, r.Sample.User, r.Sample.System = used.CPU, used.User, used.System
	r.Sample.Client = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	r.Sample.RSS, err = proc.RSS(v.pid())
	return err
}

// warm warms up the server with our own generator, since wrk does not.
func (b *bench) warm(s scenario, v *server) error {
	args := s.loadArgs(v.address, 0, 0, warmUp)
	if out, err := b.client(append([]string{b.programs.path("load")}, args...)...).CombinedOutput(); err != nil {
		return fmt.Errorf("warming up: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// wrkScript makes wrk send the scenario's request, and print figures missing in its
// usual output.
func wrkScript(s scenario) string {
	var b strings.Builder
	fmt.Fprintf(&b, "wrk.method = %q\n", s.method())
	if s.body > 0 {
		fmt.Fprintf(&b, "wrk.body = string.rep(\"x\", %d)\nwrk.headers[\"Content-Type\"] = \"text/plain\"\n", s.body)
	}
	if s.pipeline > 1 {
		fmt.Fprintf(&b, "local batch\nfunction init()\n\tbatch = string.rep(wrk.format(), %d)\nend\n"+
			"function request() return batch end\n", s.pipeline)
	}
	b.WriteString(`function done(summary, latency, requests)
	local e = summary.errors
	io.write(string.format('\nsample {"requests":%d,"us":%d,"bytes":%d,"p50":%d,"p99":%d,"p999":%d,"max":%d,' ..
		'"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\n',
		summary.requests, summary.duration, summary.bytes,
		latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max,
		e.connect, e.read, e.write, e.status, e.timeout))
end
`)
	return b.String()
}

// parseWrk parses the output of wrkScript.
func parseWrk(out string) (s sample.Sample, err error) {
	_, rest, found := strings.Cut(out, "\nsample ")
	line, _, _ := strings.Cut(rest, "\n")
	var w struct {
		Requests, Us, Bytes  int64
		P50, P99, P999, Max  int64 // µs
		Connect, Read, Write int64
		Status, Timeout      int64
	}
	if !found {
		return s, fmt.Errorf("wrk did not write its figures: %.300s", out)
	}
	if err := json.Unmarshal([]byte(line), &w); err != nil {
		return s, fmt.Errorf("wrk's figures: %w: %s", err, line)
	}
	const us = time.Microsecond
	return sample.Sample{
		Requests: w.Requests, Total: w.Requests, Bytes: w.Bytes,
		Elapsed: time.Duration(w.Us) * us,
		P50:     time.Duration(w.P50) * us, P99: time.Duration(w.P99) * us,
		P999: time.Duration(w.P999) * us, Max: time.Duration(w.Max) * us,
		Errors: sample.Errors{Connect: w.Connect, Read: w.Read, Write: w.Write, Status: w.Status, Timeout: w.Timeout},
	}, nil
}
