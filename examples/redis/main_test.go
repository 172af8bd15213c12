package main_test

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/eddynet/eddy/examples/internal/program"
)

func TestMain(m *testing.M) { program.Main(m) }

// start returns the running server and its address.
func start(t *testing.T) (*program.Program, string) {
	t.Helper()
	p := program.Start(t, "-listen", "127.0.0.1:0")
	return p, p.Stdout.Line("redis://")
}

// command encodes a command as clients do.
func command(args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		b.WriteString(bulk(a))
	}
	return b.String()
}

func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

// exchanges are commands with their replies.
var exchanges = []struct{ sent, want string }{
	{command("PING"), "+PONG\r\n"},
	{command("ping", "hi"), bulk("hi")},
	{command("ECHO", "a\r\nb\x00"), bulk("a\r\nb\x00")},
	{command("GET", "k"), "$-1\r\n"},
	{command("SET", "k", "value"), "+OK\r\n"},
	{command("get", "k"), bulk("value")},
	{command("SET", "k", ""), "+OK\r\n"},
	{command("GET", "k"), bulk("")},
	{command("SET", "", "empty key"), "+OK\r\n"},
	{command("GET", ""), bulk("empty key")},
	{command("DEL", "k", "none", "", "k"), ":2\r\n"},
	{command("GET", "k"), "$-1\r\n"},
	{"PING\r\n", "+PONG\r\n"},
	{"  set k   v \r\n", "+OK\r\n"},
	{"get k\n", bulk("v")},
	{"\r\n*0\r\n*-1\r\nPING\r\n", "+PONG\r\n"},
	{command("CONFIG", "GET", "save"), "*2\r\n" + bulk("save") + bulk("")},
	{command("COMMAND", "DOCS"), "*0\r\n"},
	{command("GET"), "-ERR wrong number of arguments for 'get' command\r\n"},
	{command("SET", "k"), "-ERR wrong number of arguments for 'set' command\r\n"},
	{command("SET", "k", "v", "EX", "1"), "-ERR syntax error\r\n"},
	{command("DEL"), "-ERR wrong number of arguments for 'del' command\r\n"},
	{command("ECHO"), "-ERR wrong number of arguments for 'echo' command\r\n"},
	{command("PING", "a", "b"), "-ERR wrong number of arguments for 'ping' command\r\n"},
	{command("FOO", "a", "b\r\n+OK"), "-ERR unknown command 'FOO', with args beginning with: 'a' 'b  +OK' \r\n"},
	{command("GETGETGETGETGETGET", "k"), "-ERR unknown command 'GETGETGETGETGETGET', with args beginning with: 'k' \r\n"},
}

func expect(t *testing.T, c *program.Client, want string) {
	t.Helper()
	if got := c.Text(len(want)); got != want {
		t.Fatalf("got %.300q, want %.300q", got, want)
	}
}

func TestCommands(t *testing.T) {
	p, address := start(t)
	c := program.Dial(t, address)
	for _, x := range exchanges {
		c.Send(x.sent)
		expect(t, c, x.want)
	}
	c.Send(command("QUIT"))
	expect(t, c, "+OK\r\n")
	c.Ends()
	c.Conn.Close()
	p.Signal(syscall.SIGTERM)
	p.ExitsCleanly()
}

func TestCommandsInAPipeline(t *testing.T) {
	_, address := start(t)
	var sent, want strings.Builder
	for range 100 {
		for _, x := range exchanges {
			sent.WriteString(x.sent)
			want.WriteString(x.want)
		}
		sent.WriteString(command("DEL", "k"))
		want.WriteString(":1\r\n")
	}
	c := program.Dial(t, address)
	go c.Conn.Write([]byte(sent.String())) // a failure shows in the replies
	expect(t, c, want.String())
}

func TestCommandsByteByByte(t *testing.T) {
	_, address := start(t)
	c := program.Dial(t, address)
	for _, x := range exchanges {
		for i := range len(x.sent) {
			c.Send(x.sent[i : i+1])
		}
		expect(t, c, x.want)
	}
}

// The largest value exceeds one read of the engine, and a hundred of them exceed its
// output limit for a client that does not read yet.
func TestLargeValues(t *testing.T) {
	_, address := start(t)
	value := strings.Repeat("0123456789abcdef", 1<<16)
	c := program.Dial(t, address)
	c.Send(command("SET", "k", value))
	expect(t, c, "+OK\r\n")
	const n = 100
	for range n {
		c.Send(command("GET", "k"))
	}
	c.Send(command("PING"))
	for range n {
		expect(t, c, bulk(value))
	}
	expect(t, c, "+PONG\r\n")
}

func TestBrokenProtocolEndsTheConnection(t *testing.T) {
	_, address := start(t)
	for sent, reason := range map[string]string{
		"*x\r\n":                            "invalid multibulk length",
		"*\r\n":                             "invalid multibulk length",
		"*1025\r\n":                         "invalid multibulk length",
		"*1\r\nx":                           "expected '$', got 'x'",
		"*1\r\n$-1\r\n":                     "invalid bulk length",
		"*1\r\n$1x\r\n":                     "invalid bulk length",
		"*1\r\n$1048577\r\n":                "invalid bulk length",
		"*1\r\n$1\r\nabc":                   "bulk string not followed by CRLF",
		"*" + strings.Repeat("0", 40):       "too big mbulk count string",
		"*1\r\n$" + strings.Repeat("0", 40): "too big bulk count string",
		strings.Repeat("x", 70_000):         "too big inline request",
		"*9\r\n" + strings.Repeat(bulk(strings.Repeat("x", 1<<20)), 4): "too big request",
	} {
		c := program.Dial(t, address)
		go c.Conn.Write([]byte(command("PING") + sent)) // the server may close before everything is sent
		expect(t, c, "+PONG\r\n-ERR Protocol error: "+reason+"\r\n")
		c.Ends()
		c.Conn.Close()
	}
}

// Connections on several loops share the store.
func TestConnectionsShareTheStore(t *testing.T) {
	_, address := start(t)
	const clients, rounds = 8, 200
	var wait sync.WaitGroup
	for i := range clients {
		wait.Go(func() {
			c, err := program.Connect(address)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Conn.Close()
			for round := range rounds {
				own, value := fmt.Sprint("own ", i), strings.Repeat(fmt.Sprint(i), round%50)
				want := "+OK\r\n+OK\r\n" + bulk(value)
				if _, err := c.Conn.Write([]byte(command("SET", own, value) + command("SET", "all", own) + command("GET", own))); err != nil {
					t.Error(err)
					return
				}
				got := make([]byte, len(want))
				for n := 0; n < len(got); {
					more, err := c.Buffered().Read(got[n:])
					if err != nil {
						t.Error(err)
						return
					}
					n += more
				}
				if string(got) != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
	wait.Wait()
	c := program.Dial(t, address)
	c.Send(command("GET", "all"))
	if got := c.Text(len(bulk("own 0"))); !strings.HasPrefix(got, "$5\r\nown ") {
		t.Errorf("got %q", got)
	}
}
