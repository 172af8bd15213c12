//go:build race

package http1_test

// raceEnabled: the race detector has sync.Pool drop buffers at random.
const raceEnabled = true
