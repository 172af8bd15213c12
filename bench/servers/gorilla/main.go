// Gorilla measures github.com/gorilla/websocket over net/http.
package main

import (
	"log"
	"net/http"

	"github.com/eddynet/eddy/bench/internal/common"
	"github.com/gorilla/websocket"
)

func main() {
	address, _ := common.Start()
	http.HandleFunc("/ws", echo)
	log.Fatal(http.ListenAndServe(address, nil))
}

func echo(w http.ResponseWriter, r *http.Request) {
	var upgrader websocket.Upgrader
	c, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has sent the error
	}
	defer c.Close()
	for {
		kind, message, err := c.ReadMessage()
		if err != nil {
			return // the client has closed
		}
		if err := c.WriteMessage(kind, message); err != nil {
			return
		}
	}
}
