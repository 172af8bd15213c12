// Package eddytls puts TLS 1.2 and 1.3 (RFC 5246, RFC 8446) under any protocol of an
// engine, with package crypto/tls of the standard library:
//
//	server, err := http1.New(handler, http1.Options{})
//	...
//	secure, err := eddytls.New(server.Open, eddytls.Options{Config: &tls.Config{
//		Certificates: []tls.Certificate{certificate},
//		NextProtos:   []string{"http/1.1"},
//	}})
//	...
//	_, err = engine.Listen("tcp", ":443", secure.Open)
//
// The protocol is opened after the handshake, and sees nothing of TLS. State returns the
// tls.ConnectionState of a connection.
//
// # Handshakes
//
// A whole ClientHello is gathered on the loop, where a slow client costs its bytes only.
// Then the handshake has a goroutine until it is done, outside of the loop: callbacks of
// the tls.Config may block. At most Options.MaxHandshakes handshakes have one. At most
// Options.MaxComputing compute at the same time, and let other goroutines run first; a
// handshake that waits for its peer, or for a callback, does not count.
//
// # After the handshake
//
// Records are opened and sealed on the connection's loop, and no goroutine belongs to the
// connection. At most 128 KiB are sealed ahead of the socket. A close_notify follows the
// last byte. Input that ends without one was cut off: the connection ends with
// io.ErrUnexpectedEOF (Conn.Err), and EventEOF does not come.
//
// # Limits
//
// crypto/tls runs on the loop by behaviour that it does not document: an error of
// the net.Conn below, whose method Temporary returns true, is not final. A test pins it.
// Renegotiation is not possible. A ClientSessionCache must not block: tickets arrive on
// the loop. A private key that blocks, such as one in another process, occupies one of
// MaxComputing places.
package eddytls
