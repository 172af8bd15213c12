package eddytls_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/eddytls"
)

func TestOptionsAreChecked(t *testing.T) {
	open := (&script{}).Open
	for want, o := range map[string]eddytls.Options{
		"Config is nil":      {},
		"needs Certificate":  {Config: &tls.Config{}},
		"HandshakeTimeout":   {Config: serverConfig(), HandshakeTimeout: -1},
		`"h2", which is not`: {Config: serverConfig(), Protocols: map[string]eddy.Protocol{"h2": open}},
		"RenegotiateNever":   {Config: &tls.Config{Renegotiation: tls.RenegotiateFreelyAsClient}},
	} {
		if _, err := eddytls.New(open, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := eddytls.New(nil, eddytls.Options{}); err == nil {
		t.Error("no protocol")
	}
	if _, err := eddytls.NewClient(open, eddytls.Options{Config: &tls.Config{}}); err == nil || !strings.Contains(err.Error(), "ServerName") {
		t.Error(err)
	}
}
