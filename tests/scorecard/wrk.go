package main

import (
	"regexp"
	"strconv"
	"strings"
)

var wrkRequests = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)

// wrkRate is the number of requests per second that wrk has measured.
func wrkRate(out string) float64 {
	m := wrkRequests.FindStringSubmatch(out)
	if m == nil {
		return 0
	}
	rate, _ := strconv.ParseFloat(m[1], 64) // wrk writes numbers
	return rate
}

// wrkTrouble is the line of wrk that says what went wrong, "none" without one.
func wrkTrouble(out string) string {
	for line := range strings.Lines(out) {
		if strings.Contains(line, "Socket errors") || strings.Contains(line, "Non-2xx") {
			return strings.TrimSpace(line)
		}
	}
	return "none"
}
