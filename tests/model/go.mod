module github.com/eddynet/eddy/tests/model

go 1.26.0

require (
	github.com/eddynet/eddy v0.0.0
	go.uber.org/goleak v1.3.0
	golang.org/x/sys v0.49.0
	pgregory.net/rapid v1.3.0
)

require github.com/valyala/bytebufferpool v1.0.0 // indirect

replace github.com/eddynet/eddy => ../..
