package main

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/eddynet/eddy"
)

// historySize is the number of messages that a new client receives.
const historySize = 50

// maxMessage bounds a message as the client sends it, in bytes.
const maxMessage = 8 << 10

// message is a chat message.
type message struct {
	Number int64     `json:"number"`
	Name   string    `json:"name"`
	Text   string    `json:"text"`
	Via    string    `json:"via"` // poll or socket
	Time   time.Time `json:"time"`
}

// room is shared by all clients. The mutex is needed because they are on several loops.
// Nothing blocks under it: Respond and Ref.Write post to the loop of their connection,
// in the order of the calls. So all clients see the messages in the order of their
// numbers.
type room struct {
	mu      sync.Mutex
	last    int64                // guarded by mu: the last message's number
	history []message            // guarded by mu: the last ones
	polls   map[*poll]struct{}   // guarded by mu: waiting polls
	sockets map[*socket]eddy.Ref // guarded by mu
	closed  bool                 // guarded by mu: refuses new polls
}

// newRoom returns an empty room. The numbers start at the time, above those of an
// earlier run, which clients may still have.
func newRoom() *room {
	return &room{
		last:    time.Now().UnixMilli(),
		polls:   map[*poll]struct{}{},
		sockets: map[*socket]eddy.Ref{},
	}
}

// errMessage is the error for an invalid message.
var errMessage = errors.New(`a message is {"name": 1 to 32 letters, "text": 1 to 1000 letters}`)

// say decodes a client's message, and sends it to all clients.
func (m *room) say(text []byte, via string) error {
	var said message
	if err := json.Unmarshal(text, &said); err != nil {
		return errMessage
	}
	said.Name = strings.TrimSpace(said.Name)
	name, words := utf8.RuneCountInString(said.Name), utf8.RuneCountInString(said.Text)
	if name < 1 || name > 32 || words < 1 || words > 1000 {
		return errMessage
	}
	said.Via, said.Time = via, time.Now()

	m.mu.Lock()
	defer m.mu.Unlock()
	m.last++
	said.Number = m.last
	m.history = append(m.history, said)
	if len(m.history) > historySize {
		m.history = m.history[1:]
	}
	m.broadcast(encode(m.history[len(m.history)-1:]))
	return nil
}

// broadcast sends messages to all clients. The caller holds m.mu.
func (m *room) broadcast(news []byte) {
	for p := range m.polls {
		p.answer(news) // a waiting poll has all earlier messages
	}
	clear(m.polls)
	frame := ws.MustCompileFrame(ws.NewTextFrame(news))
	for s, ref := range m.sockets {
		if err := ref.Write(frame); err != nil {
			// The client is too slow, or has closed. It may reconnect and request missed messages.
			delete(m.sockets, s)
			_ = ref.Do(func(c *eddy.Conn) { c.Abort(err) })
		}
	}
}

// since returns the messages after a number, or nil. The caller holds m.mu.
func (m *room) since(number int64) []byte {
	for i, said := range m.history {
		if said.Number > number {
			return encode(m.history[i:])
		}
	}
	return nil
}

var noNews = encode([]message{})

// encode returns messages as JSON, for both transports.
func encode(news []message) []byte {
	text, err := json.Marshal(news)
	if err != nil {
		panic(err) // a message can be encoded
	}
	return text
}

// close answers all waiting polls, and all later ones. Package websocket closes the
// sockets.
func (m *room) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for p := range m.polls {
		p.answer(noNews)
	}
	clear(m.polls)
}
