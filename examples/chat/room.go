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

// historySize is how many messages somebody gets who comes in.
const historySize = 50

// maxMessage bounds a message as the client sends it, in bytes.
const maxMessage = 8 << 10

// message is one that somebody has written.
type message struct {
	Number int64     `json:"number"`
	Name   string    `json:"name"`
	Text   string    `json:"text"`
	Via    string    `json:"via"` // poll or socket
	Time   time.Time `json:"time"`
}

// room is where all meet. Its clients live on several loops, hence the lock. What
// happens under it does not wait for anybody: Respond and Ref.Write leave a note for
// the loop of their connection, in the order of the calls. So all see the messages in
// the order of their numbers.
type room struct {
	mu      sync.Mutex
	last    int64                // guarded by mu: the last message's number
	history []message            // guarded by mu: the last ones
	polls   map[*poll]struct{}   // guarded by mu: those who wait
	sockets map[*socket]eddy.Ref // guarded by mu
	closed  bool                 // guarded by mu: nobody may wait any more
}

// newRoom returns an empty room. The numbers begin with the time, so that they are
// above those of an earlier run, which clients may still hold.
func newRoom() *room {
	return &room{
		last:    time.Now().UnixMilli(),
		polls:   map[*poll]struct{}{},
		sockets: map[*socket]eddy.Ref{},
	}
}

// errMessage says what a message must be.
var errMessage = errors.New(`a message is {"name": 1 to 32 letters, "text": 1 to 1000 letters}`)

// say takes a message from a client, as JSON, and gives it to all.
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
	m.tell(encode(m.history[len(m.history)-1:]))
	return nil
}

// tell gives news to all. m.mu is held.
func (m *room) tell(news []byte) {
	for p := range m.polls {
		p.answer(news) // it has all that was said before: else it would not wait
	}
	clear(m.polls)
	frame := ws.MustCompileFrame(ws.NewTextFrame(news))
	for s, ref := range m.sockets {
		if err := ref.Write(frame); err != nil {
			// It does not keep up, or has gone. It may come back, and ask for what it missed.
			delete(m.sockets, s)
			_ = ref.Do(func(c *eddy.Conn) { c.Abort(err) })
		}
	}
}

// since returns the news behind the message with that number, nil if there are none.
// m.mu is held.
func (m *room) since(number int64) []byte {
	for i, said := range m.history {
		if said.Number > number {
			return encode(m.history[i:])
		}
	}
	return nil
}

var noNews = encode([]message{})

// encode returns the JSON that clients get, over either transport.
func encode(news []message) []byte {
	text, err := json.Marshal(news)
	if err != nil {
		panic(err) // a message has nothing that JSON cannot hold
	}
	return text
}

// close sends those away who poll, and all who come later. For the sockets see
// package websocket, which says goodbye.
func (m *room) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for p := range m.polls {
		p.answer(noNews)
	}
	clear(m.polls)
}
