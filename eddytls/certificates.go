package eddytls

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// Files is a certificate whose files may be replaced while the program runs: use its
// GetCertificate in a tls.Config. A handshake looks at the files, at most once in an
// interval; connections that are open keep their certificate. Any goroutine.
type Files struct {
	certFile, keyFile string
	interval          time.Duration

	mu      sync.Mutex
	looked  time.Time        // guarded by mu
	loaded  [2]version       // guarded by mu: of the files that current is from
	current *tls.Certificate // guarded by mu
	err     error            // guarded by mu: of the last attempt to load
}

// version tells whether a file has been replaced.
type version struct {
	modified time.Time
	size     int64
}

// LoadFiles loads a certificate chain and its private key, both PEM encoded, as
// tls.LoadX509KeyPair does. GetCertificate looks for new ones after every interval; zero
// stands for 10 s. The error is that of the first load.
func LoadFiles(certFile, keyFile string, interval time.Duration) (*Files, error) {
	if interval <= 0 {
		interval = 10 * time.Second
	}
	f := &Files{certFile: certFile, keyFile: keyFile, interval: interval}
	if err := f.load(); err != nil {
		return nil, err
	}
	return f, nil
}

// GetCertificate returns the certificate, for the field of that name of a tls.Config. If
// the files were replaced by ones that cannot be used, a key of another certificate for
// example, it goes on with those before: see Err.
func (f *Files) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.looked) >= f.interval {
		f.err = f.load()
	}
	return f.current, nil
}

// Err is the error of the last attempt to load new files; nil when they are in use.
func (f *Files) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// load is called with the lock, or before anyone else knows of f.
func (f *Files) load() error {
	f.looked = time.Now()
	var found [2]version
	for i, name := range []string{f.certFile, f.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("eddytls: look for a new certificate: %w", err)
		}
		found[i] = version{info.ModTime(), info.Size()}
	}
	if found == f.loaded && f.current != nil {
		return nil
	}
	cert, err := tls.LoadX509KeyPair(f.certFile, f.keyFile)
	if err != nil {
		return fmt.Errorf("eddytls: load a certificate from %s and %s: %w", f.certFile, f.keyFile, err)
	}
	f.current, f.loaded = &cert, found
	return nil
}
