//go:build !linux

package proc

import "errors"

// Pin returns an error: it is supported on Linux only.
func Pin(string) error {
	return errors.New("pinning to processors is supported on Linux only")
}
