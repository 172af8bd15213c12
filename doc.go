// Package eddy is an event-loop network engine on raw epoll and kqueue. It runs
// protocols, of which package http1 is one, on a few reactor loops that own all
// connections.
//
// # The way of the bytes
//
//	poller ──▶ loop ──▶ Conn ──▶ Protocol ──▶ outbound queue ──▶ one write
//	readiness  cycle    one read  OnData       pooled buffers     for the batch
//
// A loop waits for readiness, reads once from every connection that has input, and
// hands the bytes to the connection's protocol. What the protocol writes gathers in
// pooled buffers, and leaves soon after the callback has returned. Timers, functions posted
// from other goroutines, and accepting have their place in the same cycle; nothing
// else runs on a loop.
//
// Conn, Protocol and what else a protocol deals with are names for types of package
// loop, which has the documentation of their methods.
//
// # Threads
//
// A Conn belongs to its loop: use it in the callbacks of a Protocol, and in
// functions that a Ref, a Timer or Loop.Post runs there. Callbacks of one loop never
// run at the same time, so what they share needs no lock if it stays on that loop;
// two loops do run at the same time. Callbacks must not block.
//
// Engine, Listener and Ref may be used on any goroutine. The comment of every method,
// or of its type, says where it may be called.
//
// # Non-goals
//
// TLS, HTTP/2 and Windows. A program that needs them has net/http, or a proxy in
// front.
package eddy
