package main

import (
	"crypto/tls"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/eddytls"
	"github.com/eddynet/eddy/examples/internal/selfsigned"
)

// overTLS puts TLS under a protocol, with a certificate from files, or one that it makes.
func overTLS(p eddy.Protocol, certFile, keyFile string) (eddy.Protocol, error) {
	config := &tls.Config{NextProtos: []string{"http/1.1"}}
	if certFile != "" || keyFile != "" {
		files, err := eddytls.LoadFiles(certFile, keyFile, 0)
		if err != nil {
			return nil, err
		}
		config.GetCertificate = files.GetCertificate
	} else {
		cert, err := selfsigned.Localhost()
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{cert}
	}
	secure, err := eddytls.New(p, eddytls.Options{Config: config})
	if err != nil {
		return nil, err
	}
	return secure.Open, nil
}
