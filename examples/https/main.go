// Https is HTTP over TLS, with a certificate for localhost made at the start, or one from
// files, which may be replaced while it runs. It prints its URL:
//
//	go run ./examples/https
//	curl -ik https://localhost:8443/
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"os/signal"
	"syscall"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/eddytls"
	"github.com/eddynet/eddy/examples/internal/selfsigned"
	"github.com/eddynet/eddy/http1"
)

func hello(w *http1.Response, r *http1.Request) {
	w.SetHeader("Content-Type", "text/plain")
	state := r.TLS()
	fmt.Fprintf(w, "Hello over %s, %s", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite))
}

// configuration has the certificate from the files, or one of its own.
func configuration(certFile, keyFile string) (*tls.Config, error) {
	config := &tls.Config{NextProtos: []string{"http/1.1"}}
	if certFile != "" {
		files, err := eddytls.LoadFiles(certFile, keyFile, 0)
		if err == nil {
			config.GetCertificate = files.GetCertificate
		}
		return config, err
	}
	cert, err := selfsigned.Localhost()
	config.Certificates = []tls.Certificate{cert}
	return config, err
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8443", "address to serve on")
	certFile := flag.String("cert", "", "file of the certificate chain, PEM (default: one for localhost is made)")
	keyFile := flag.String("key", "", "file of its private key, PEM")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills the program

	config, err := configuration(*certFile, *keyFile)
	if err != nil {
		log.Fatal(err)
	}
	server, err := http1.New(hello, http1.Options{})
	if err != nil {
		log.Fatal(err)
	}
	secure, err := eddytls.New(server.Open, eddytls.Options{Config: config})
	if err != nil {
		log.Fatal(err)
	}
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := engine.Listen("tcp", *listen, secure.Open)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("https://%v/\n", ln.Addr())
	if err := engine.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
