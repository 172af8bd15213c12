package eddytls_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/eddynet/eddy/eddytls"
)

// writePEM writes a certificate and its key, with this time of modification.
func writePEM(t *testing.T, certFile, keyFile, name string, modified time.Time) {
	t.Helper()
	cert := authority().issue(name)
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: cert.Certificate[0]},
		keyFile:  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFilesAreReplacedWhileRunning(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	now := time.Now()
	writePEM(t, certFile, keyFile, "first.test", now)
	f, err := eddytls.LoadFiles(certFile, keyFile, time.Nanosecond)
	if err != nil {
		t.Fatal(err)
	}
	served := func() string {
		_, conn := inMemory(t, (&script{}).Open, eddytls.Options{Config: &tls.Config{GetCertificate: f.GetCertificate}})
		client := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
		exchange(t, client, "hello")
		return client.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	expect(t, "certificate", served(), "first.test")
	writePEM(t, certFile, keyFile, "second.test", now.Add(time.Second))
	expect(t, "certificate", served(), "second.test")
	expect(t, "Err", f.Err(), nil)
	writePEM(t, certFile, filepath.Join(dir, "other.pem"), "third.test", now.Add(2*time.Second))
	expect(t, "with a key of another one", served(), "second.test")
	if f.Err() == nil {
		t.Error("Err is nil")
	}
	if err := os.Rename(filepath.Join(dir, "other.pem"), keyFile); err != nil {
		t.Fatal(err)
	}
	expect(t, "with its key", served(), "third.test")
	expect(t, "Err", f.Err(), nil)
}

func TestFilesHaveToExistAtFirst(t *testing.T) {
	if _, err := eddytls.LoadFiles("nowhere.pem", "nowhere.pem", 0); err == nil {
		t.Error("loaded")
	}
}
