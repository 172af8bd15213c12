package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddynet/eddy/examples/internal/program"
)

func TestMain(m *testing.M) { program.Main(m) }

// start returns the running server and its address.
func start(t *testing.T) (*program.Program, string) {
	t.Helper()
	p := program.Start(t, "-listen", "127.0.0.1:0")
	return p, strings.TrimSuffix(p.Stdout.Line("http://"), "/")
}

// message is a message as the server sends it.
type message struct {
	Number          int64
	Name, Text, Via string
	Time            time.Time
}

func parse(t *testing.T, text []byte) (news []message) {
	t.Helper()
	if err := json.Unmarshal(text, &news); err != nil {
		t.Fatalf("%v in %.300q", err, text)
	}
	return news
}

// texts joins the messages.
func texts(news []message) string {
	var all []string
	for _, m := range news {
		all = append(all, m.Name+": "+m.Text)
	}
	return strings.Join(all, "\n")
}

var client = http.Client{Timeout: program.Patience}

// poll requests the messages after a number, and waits for them.
func poll(t *testing.T, address string, after int64) []message {
	t.Helper()
	response, err := client.Get(fmt.Sprintf("http://%s/poll?after=%d", address, after))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 200 {
		t.Fatalf("poll: %s", response.Status)
	}
	return parse(t, text)
}

// said encodes a message as a client does.
func said(name, text string) string {
	m, err := json.Marshal(map[string]string{"name": name, "text": text})
	if err != nil {
		panic(err) // strings can be encoded
	}
	return string(m)
}

// post sends a body to /send, and returns the status.
func post(t *testing.T, address, kind, body string) int {
	t.Helper()
	response, err := client.Post("http://"+address+"/send", kind, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

func send(t *testing.T, address, name, text string) {
	t.Helper()
	if status := post(t, address, "application/json", said(name, text)); status != 204 {
		t.Fatalf("send %q: status %d", text, status)
	}
}

// waiting starts a poll on a connection that has been accepted.
func waiting(t *testing.T, address string, after int64) *program.Client {
	t.Helper()
	c := program.Dial(t, address)
	c.Get("/")
	c.Send(program.Get(fmt.Sprintf("/poll?after=%d", after)))
	return c
}

func TestPollReturnsMessagesOrWaits(t *testing.T) {
	p, address := start(t)
	send(t, address, "Ada", "one")
	send(t, address, "Bob", "two <b>&amp;")
	news := poll(t, address, 0)
	if got := texts(news); got != "Ada: one\nBob: two <b>&amp;" {
		t.Errorf("got %q", got)
	}
	if news[0].Via != "poll" || news[1].Number != news[0].Number+1 || time.Since(news[0].Time) > time.Minute {
		t.Errorf("got %+v", news)
	}
	if got := texts(poll(t, address, news[0].Number)); got != "Bob: two <b>&amp;" {
		t.Errorf("after the first message: %q", got)
	}

	c := waiting(t, address, news[1].Number)
	send(t, address, "Ada", "three")
	if got := texts(parse(t, []byte(c.Answer("GET").Text))); got != "Ada: three" {
		t.Errorf("got %q", got)
	}
	c.Conn.Close()
	p.Signal(syscall.SIGTERM)
	p.ExitsCleanly()
}

func TestNothingIsLostBetweenPolls(t *testing.T) {
	_, address := start(t)
	const messages, writers = 40, 4
	for w := range writers {
		go func() {
			for i := range messages / writers {
				body := strings.NewReader(said(fmt.Sprint("writer ", w), fmt.Sprint(i)))
				response, err := client.Post("http://"+address+"/send", "application/json", body)
				if err != nil || response.StatusCode != 204 {
					t.Errorf("send: %v %v", response, err)
					return
				}
				response.Body.Close()
			}
		}()
	}
	var last int64
	next := map[string]int{}
	for got := 0; got < messages; {
		for _, m := range poll(t, address, last) {
			if last > 0 && m.Number != last+1 {
				t.Fatalf("message %d followed %d", m.Number, last)
			}
			if want := fmt.Sprint(next[m.Name]); m.Text != want {
				t.Fatalf("%s: %s, want %s", m.Name, m.Text, want)
			}
			next[m.Name]++
			last = m.Number
			got++
		}
	}
}

func TestHistoryIsTheLast50(t *testing.T) {
	_, address := start(t)
	for i := range 60 {
		send(t, address, "Ada", fmt.Sprint(i))
	}
	news := poll(t, address, 0)
	if len(news) != 50 || news[0].Text != "10" || news[49].Text != "59" {
		t.Errorf("got %d messages: %q", len(news), texts(news))
	}
}

func TestInvalidMessagesAreRefused(t *testing.T) {
	_, address := start(t)
	for _, test := range []struct {
		kind, body string
		status     int
	}{
		{"application/json; charset=utf-8", said("Ada", "x"), 204},
		{"text/plain", said("Ada", "x"), 415},
		{"application/x-www-form-urlencoded", "name=Ada&text=x", 415},
		{"application/json", said("", "x"), 400},
		{"application/json", said("  ", "x"), 400},
		{"application/json", said("Ada", ""), 400},
		{"application/json", said(strings.Repeat("ä", 32), strings.Repeat("ä", 1000)), 204},
		{"application/json", said(strings.Repeat("ä", 33), "x"), 400},
		{"application/json", said("Ada", strings.Repeat("ä", 1001)), 400},
		{"application/json", "[]", 400},
		{"application/json", "", 400},
		{"application/json", said("Ada", strings.Repeat("x", 9000)), 413},
	} {
		if got := post(t, address, test.kind, test.body); got != test.status {
			t.Errorf("%s %.60q: status %d, want %d", test.kind, test.body, got, test.status)
		}
	}
	c := program.Dial(t, address)
	for target, status := range map[string]int{"/poll": 400, "/poll?after=x": 400, "/send": 405, "/nothing": 404, "/../main.go": 404} {
		if got := c.Get(target).StatusCode; got != status {
			t.Errorf("GET %s: status %d, want %d", target, got, status)
		}
	}
}

func TestServesItsPage(t *testing.T) {
	_, address := start(t)
	c := program.Dial(t, address)
	for target, kind := range map[string]string{"/": "text/html", "/chat.css": "text/css", "/chat.js": "text/javascript"} {
		a := c.Get(target)
		if a.StatusCode != 200 || a.Header.Get("Content-Type") != kind+"; charset=utf-8" || len(a.Text) < 500 {
			t.Errorf("GET %s: %s, %s, %d bytes", target, a.Status, a.Header.Get("Content-Type"), len(a.Text))
		}
	}
}

// A poll ends when its client closes, and does not delay the drain.
func TestPollEndsWithItsClient(t *testing.T) {
	p, address := start(t)
	c := waiting(t, address, 0)
	c.HalfClose()
	if a := c.Answer("GET"); a.StatusCode != 200 || a.Text != "[]" {
		t.Errorf("got %s %q", a.Status, a.Text)
	}
	c.Ends()
	c.Conn.Close()
	p.Signal(syscall.SIGTERM)
	p.ExitsCleanly()
}

func TestSignalClosesPollsAndSockets(t *testing.T) {
	p, address := start(t)
	polling, talking := waiting(t, address, 0), dial(t, address, 0)
	send(t, address, "Ada", "one")
	polling.Answer("GET")
	if got := texts(heard(t, talking)); got != "Ada: one" {
		t.Errorf("got %q", got)
	}
	last := poll(t, address, 0)[0].Number
	polling.Send(program.Get(fmt.Sprintf("/poll?after=%d", last)))
	client.CloseIdleConnections()
	p.Signal(syscall.SIGTERM)
	if a := polling.Answer("GET"); a.StatusCode != 200 || a.Text != "[]" {
		t.Errorf("got %s %q", a.Status, a.Text)
	}
	talking.Closes(1001)
	polling.Conn.Close()
	p.ExitsCleanly()
}
