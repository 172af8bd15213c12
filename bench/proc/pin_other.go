//go:build !linux

package proc

import "errors"

// Pin is for Linux only: elsewhere it returns an error.
func Pin(string) error {
	return errors.New("pinning to processors needs Linux: measure without it")
}
