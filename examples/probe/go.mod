module github.com/eddynet/eddy/examples/probe

go 1.26.0

require (
	github.com/eddynet/eddy v0.0.0
	github.com/eddynet/eddy/examples/internal/websocket v0.0.0
	github.com/gobwas/ws v1.4.0
)

require (
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/gobwas/pool v0.2.1 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace (
	github.com/eddynet/eddy => ../..
	github.com/eddynet/eddy/examples/internal/websocket => ../internal/websocket
)
