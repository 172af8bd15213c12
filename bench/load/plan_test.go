//go:build linux

package main

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
)

func TestInvalidPlansAreRefused(t *testing.T) {
	for _, args := range []string{
		"-protocol smtp", "-connections 0", "-connections -1", "-pipeline 0", "-pipeline 2 -rate 5",
		"-pipeline 2 -per-connection 3", "-protocol echo", "-protocol echo -body 5 -per-connection 2",
		"-pipeline 2 -rare-path /a", "-per-connection 2 -rare-path /a", "-protocol echo -body 5 -rare-path /a",
		"-duration 0s", "-nonsense",
	} {
		if _, err := parsePlan(strings.Fields(args)); err == nil {
			t.Errorf("%s: no error", args)
		}
	}
}

func TestRequestsAreValidHTTP(t *testing.T) {
	p, err := parsePlan(strings.Fields("-method POST -path /upload -body 10 -pipeline 2"))
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(bytes.NewReader(p.messages().usual))
	for range 2 {
		request, err := http.ReadRequest(r)
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		if _, err := body.ReadFrom(request.Body); err != nil || body.Len() != 10 || request.Close {
			t.Error(body.Len(), request.Close, err)
		}
	}
	if _, err := r.ReadByte(); err == nil {
		t.Error("there are bytes after the two requests")
	}
	last, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(p.messages().last)))
	if err != nil || !last.Close {
		t.Error("the last request has no Connection: close", err)
	}
}
