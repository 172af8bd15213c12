// Package eddy is an event-loop network engine on raw epoll and kqueue. It runs protocols, of which
// package http1 is one, on a few reactor loops that own all connections.
//
// # The path of the bytes
//
//	poller ──▶ loop ──▶ Conn ──▶ Handler ──▶ pending output ──▶ one write
//	readiness  cycle    one read  OnData      pooled buffers     for each connection
//
// A Protocol is a function that opens a connection and returns its Handler, which gets input
// (OnData) and events (OnEvent). A wrapper is a function around a Protocol. A Transport is a layer
// between a connection and its socket: see Conn.AddLayer. Conn.SetProtocol hands a connection to
// another protocol. The types are names for those of package loop, which describes its cycle.
//
// Package eddytls puts TLS under any protocol. Package eddytest tests protocols without sockets.
//
// # Threads
//
// A Conn belongs to its loop: use it in a Protocol, in the methods of a Handler, and in functions
// that a Ref, a Timer or Loop.Post runs there. Callbacks of one loop never run at the same time, so
// its state needs no lock (loop.PerLoop). They must not block. Engine, Listener and Ref are for any
// goroutine. The comment of every method, or of its type, says where it may be called.
//
// # Non-goals
//
// HTTP/2 and Windows: put a proxy in front. docs/architecture.md describes the source.
package eddy
