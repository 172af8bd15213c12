// Package loop has the event loops, their connections, and the interface of protocols.
// Programs use it through package eddy, which has names for the types that a protocol
// meets, and an Engine that makes the loops and gives them sockets; the methods are
// documented here.
//
// A loop is one goroutine. In each cycle it waits for readiness, reads once from every
// connection that has input and hands it to the connection's Handler, writes pending
// output, runs posted tasks, calls the timers that are due, and frees the connections
// that have ended. All callbacks run there, one at a time, and must not block.
//
// Callbacks see a loop as a Loop: tasks, timers, the clock, outgoing connections. Its
// engine has a Reactor: the same loop, with methods to run, drain and end it.
//
// A connection reads from its socket and writes to it, or to a Transport in its place:
// layers that Conn.AddLayer has put above the socket, or memory (Loop.AdoptTransport).
package loop
