// Package sockets holds the system calls on sockets that the engine needs, and their
// differences between platforms: listening, accepting, reading, writing, options.
//
// All sockets are non-blocking. Errors are the kernel's: nothing is retried here.
package sockets
