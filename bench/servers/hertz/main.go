// Hertz measures github.com/cloudwego/hertz on its own transport.
package main

import (
	"context"
	"encoding/json"
	"io"
	"strconv"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/common/hlog"
	"github.com/eddynet/eddy/bench/internal/common"
)

func main() {
	address, _ := common.Start()
	hlog.SetOutput(io.Discard)
	h := server.New(server.WithHostPorts(address), server.WithDisablePrintRoute(true))
	big := common.Big()
	h.GET("/plaintext", func(_ context.Context, c *app.RequestContext) { text(c, common.Text) })
	h.GET("/json", func(_ context.Context, c *app.RequestContext) {
		body, err := json.Marshal(common.Hello())
		if err != nil {
			panic(err) // a string can be encoded
		}
		c.Data(200, "application/json", body)
	})
	h.POST("/upload", func(_ context.Context, c *app.RequestContext) {
		text(c, strconv.Itoa(len(c.Request.Body())))
	})
	h.GET("/big", func(_ context.Context, c *app.RequestContext) {
		c.Response.Header.SetContentType("text/plain")
		c.Response.SetBodyRaw(big(number(c)))
	})
	h.GET("/sleep", sleep)
	h.GET("/block", sleep)
	h.Spin()
}

func sleep(_ context.Context, c *app.RequestContext) {
	time.Sleep(time.Duration(number(c)) * time.Millisecond)
	text(c, "slept")
}

func text(c *app.RequestContext, s string) {
	c.Response.Header.SetContentType("text/plain")
	c.Response.SetBodyString(s)
}

func number(c *app.RequestContext) int { return common.Number(string(c.Request.QueryString())) }
