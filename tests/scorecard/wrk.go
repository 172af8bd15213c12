package main

import (
	"regexp"
	"strconv"
	"strings"
)

var wrkRequests = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)

// wrkRate returns the requests per second measured by wrk.
func wrkRate(out string) float64 {
	m := wrkRequests.FindStringSubmatch(out)
	if m == nil {
		return 0
	}
	rate, _ := strconv.ParseFloat(m[1], 64) // the expression matches numbers
	return rate
}

// wrkTrouble returns wrk's line about errors, or "none".
func wrkTrouble(out string) string {
	for line := range strings.Lines(out) {
		if strings.Contains(line, "Socket errors") || strings.Contains(line, "Non-2xx") {
			return strings.TrimSpace(line)
		}
	}
	return "none"
}
