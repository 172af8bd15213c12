module github.com/eddynet/eddy/tests/kqueue

go 1.26.0

require golang.org/x/sys v0.49.0
