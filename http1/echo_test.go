package http1_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/eddynet/eddy/http1"
)

// describe is a handler that answers with what it saw, in the form of the table, in
// a field, so that HEAD has it too.
func describe(w *http1.Response, r *http1.Request) {
	if err := w.SetHeader("X-Saw", strconv.QuoteToASCII(seen(r))); err != nil {
		panic(err)
	}
	w.WriteString("ok\n")
}

// seen describes a request in the form of the table.
func seen(r *http1.Request) string {
	var b strings.Builder
	head, _ := r.Head()
	fmt.Fprintf(&b, "%s %s HTTP/1.%d path=%s query=%s host=%s\n", r.Method(), r.Target(), head.Minor, r.Path(), r.Query(), r.Host())
	var fields, trailers []string
	for name, value := range r.Fields() {
		fields = append(fields, fmt.Sprintf("field %s %s", name, strconv.Quote(string(value))))
	}
	for name, value := range r.Trailers() {
		trailers = append(trailers, fmt.Sprintf("trailer %s %s", name, strconv.Quote(string(value))))
	}
	if len(fields) == 0 {
		fields = []string{"no fields"}
	}
	joinTimes(&b, fields)
	fmt.Fprintf(&b, "body %s\n", strconv.Quote(string(r.Body())))
	joinTimes(&b, trailers)
	return shortened(b.String())
}

// joinTimes writes lines, and equal ones in a row once, with their number.
func joinTimes(b *strings.Builder, lines []string) {
	for i := 0; i < len(lines); {
		n := 1
		for i+n < len(lines) && lines[i+n] == lines[i] {
			n++
		}
		b.WriteString(lines[i])
		if n > 1 {
			fmt.Fprintf(b, " (%d times)", n)
		}
		b.WriteByte('\n')
		i += n
	}
}

// longRuns are those that shortened shortens: Go has no backreferences.
var longRuns = regexp.MustCompile(`a{30,}|q{30,}|x{30,}|M{30,}`)

func shortened(s string) string {
	return longRuns.ReplaceAllStringFunc(s, func(run string) string {
		return fmt.Sprintf("{%d*%c}", len(run), run[0])
	})
}
