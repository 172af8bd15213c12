package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/eddynet/eddy/bench/internal/common"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// verify checks a server's response to the scenario's request before the measurement.
func verify(s scenario, address string) error {
	switch s.protocol {
	case "comet":
		return nil // the load itself checks the counts
	case "echo":
		return verifyEcho(address, s.body)
	case "websocket":
		return verifyWebSocket(address, s.path, s.body)
	}
	a, err := ask(address, s.method(), s.target(), s.body)
	if err != nil {
		return err
	}
	if err := a.check(s); err != nil || s.rare == "" {
		return err
	}
	return verify(scenario{path: s.rare}, address)
}

// verifyOnce performs the slow checks: unknown paths are refused, and Date changes.
func verifyOnce(s scenario, peer, address string) error {
	first, err := ask(address, s.method(), s.target(), s.body)
	if err != nil {
		return err
	}
	if peer != "floor" { // the floor ignores the path
		missing, err := ask(address, "GET", "/missing", 0)
		if err != nil {
			return err
		}
		if missing.status != 404 {
			return fmt.Errorf("GET /missing: status %d, want 404: the path is not checked", missing.status)
		}
	}
	for range 5 {
		time.Sleep(500 * time.Millisecond)
		later, err := ask(address, s.method(), s.target(), s.body)
		if err != nil {
			return err
		}
		if later.date.After(first.date) {
			return nil
		}
	}
	return fmt.Errorf("the Date field does not change")
}

// answer is the checked part of a response.
type answer struct {
	status int
	fields http.Header
	length int64
	date   time.Time
	body   []byte
}

func ask(address, method, target string, body int) (a answer, err error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return a, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return a, err
	}
	length := ""
	if body > 0 {
		length = "Content-Length: " + strconv.Itoa(body) + "\r\n"
	}
	request := method + " " + target + " HTTP/1.1\r\nHost: " + address + "\r\n" + length + "\r\n" + strings.Repeat("x", body)
	if _, err := io.WriteString(conn, request); err != nil {
		return a, err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return a, fmt.Errorf("%s %s: %w", method, target, err)
	}
	defer response.Body.Close()
	a = answer{status: response.StatusCode, fields: response.Header, length: response.ContentLength}
	if a.body, err = io.ReadAll(response.Body); err != nil {
		return a, fmt.Errorf("%s %s: %w", method, target, err)
	}
	a.date, err = http.ParseTime(a.fields.Get("Date"))
	if err != nil {
		return a, fmt.Errorf("%s %s: Date: %w", method, target, err)
	}
	return a, nil
}

// check compares a response with the expected one for the scenario's request.
func (a answer) check(s scenario) error {
	kind, body := "text/plain", "Hello, World!"
	switch path, query, _ := strings.Cut(s.target(), "?"); path {
	case "/json":
		kind, body = "application/json", `{"message":"Hello, World!"}`
	case "/upload", "/count":
		body = strconv.Itoa(s.body)
	case "/big":
		n, err := strconv.Atoi(strings.TrimPrefix(query, "n="))
		if err != nil {
			return err
		}
		body = strings.Repeat("x", n)
	case "/sleep", "/block":
		body = "slept"
	case "/spin":
		body = common.Spun
	}
	wrong := func(part string, got, want any) error {
		return fmt.Errorf("%s %s: %s is %v, want %v", s.method(), s.target(), part, got, want)
	}
	got, _, _ := strings.Cut(a.fields.Get("Content-Type"), ";")
	switch {
	case a.status != 200:
		return wrong("status", a.status, 200)
	case a.fields.Get("Server") == "":
		return wrong("Server", "missing", "a name")
	case got != kind:
		return wrong("Content-Type", got, kind)
	case a.length != int64(len(body)):
		return wrong("Content-Length", a.length, len(body))
	case string(a.body) != body:
		return wrong("body", fmt.Sprintf("%.50q", a.body), fmt.Sprintf("%.50q", body))
	case time.Since(a.date).Abs() > 5*time.Second:
		return wrong("Date", a.date, "the time")
	}
	return nil
}

func verifyEcho(address string, size int) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := conn.Write(messageOf(size)); err != nil {
		return err
	}
	back := make([]byte, size)
	if _, err := io.ReadFull(conn, back); err != nil {
		return err
	}
	return compareEcho(back, size)
}

func verifyWebSocket(address, path string, size int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, rest, _, err := ws.Dial(ctx, "ws://"+address+path)
	if err != nil {
		return err
	}
	defer conn.Close()
	if rest != nil {
		return fmt.Errorf("the server speaks first: %d bytes", rest.Buffered())
	}
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if err := wsutil.WriteClientBinary(conn, messageOf(size)); err != nil {
		return err
	}
	back, err := wsutil.ReadServerBinary(conn)
	if err != nil {
		return err
	}
	return compareEcho(back, size)
}

// messageOf returns a message of size bytes that is not constant.
func messageOf(size int) []byte {
	message := make([]byte, size)
	for i := range message {
		message[i] = byte(i * 7)
	}
	return message
}

func compareEcho(back []byte, size int) error {
	if !bytes.Equal(back, messageOf(size)) {
		return fmt.Errorf("echo: received other bytes than were sent")
	}
	return nil
}
