// Package loop is the reactor: loops, their connections, and the interface of protocols. Programs use it through package eddy, which has names for the types that a
// Protocol deals with, and an Engine that makes the loops and hands them sockets; the
// methods are documented here.
//
// A Loop is one goroutine. In each cycle it waits for readiness, reads once from every
// connection that has input and hands it to its Handler, runs the tasks that
// other goroutines have posted, calls the timers that are due, writes pending output, and
// frees closed connections. All callbacks run there, one at a time, and must not block.
package loop
