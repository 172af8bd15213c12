// Net measures an echo server on package net, with a goroutine for each connection.
package main

import (
	"log"
	"net"

	"github.com/eddynet/eddy/bench/internal/common"
)

func main() {
	address, _ := common.Start()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	for {
		c, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go echo(c)
	}
}

func echo(c net.Conn) {
	defer c.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return // the client has closed
		}
		if _, err := c.Write(buffer[:n]); err != nil {
			return
		}
	}
}
