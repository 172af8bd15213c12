//go:build race

package program

// buildFlags enables the race detector in the program too. A detected race changes the
// exit status to 66.
var buildFlags = []string{"-race"}
