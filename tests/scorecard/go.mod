module github.com/eddynet/eddy/tests/scorecard

go 1.26.0

require (
	github.com/eddynet/eddy v0.0.0
	golang.org/x/sys v0.49.0
)

require github.com/valyala/bytebufferpool v1.0.0 // indirect

replace github.com/eddynet/eddy => ../..
