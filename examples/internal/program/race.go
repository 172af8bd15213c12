//go:build race

package program

// buildFlags has the program race-tested along with its test. A race that was
// found turns the exit status into 66.
var buildFlags = []string{"-race"}
