// Fasthttp measures github.com/valyala/fasthttp.
package main

import (
	"encoding/json"
	"log"
	"strconv"
	"time"

	"github.com/eddynet/eddy/bench/internal/common"
	"github.com/valyala/fasthttp"
)

func main() {
	address, _ := common.Start()
	server := &fasthttp.Server{Handler: routes(), Name: "fasthttp"}
	log.Fatal(server.ListenAndServe(address))
}

func routes() fasthttp.RequestHandler {
	big := common.Big()
	return func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("text/plain")
		switch string(ctx.Path()) {
		case "/plaintext":
			ctx.SetBodyString(common.Text)
		case "/json":
			body, err := json.Marshal(common.Hello())
			if err != nil {
				panic(err) // a string can be encoded
			}
			ctx.SetContentType("application/json")
			ctx.SetBody(body)
		case "/upload":
			ctx.SetBodyString(strconv.Itoa(len(ctx.PostBody())))
		case "/big":
			ctx.Response.SetBodyRaw(big(number(ctx)))
		case "/sleep", "/block":
			time.Sleep(time.Duration(number(ctx)) * time.Millisecond)
			ctx.SetBodyString("slept")
		case "/spin":
			common.Spin(number(ctx))
			ctx.SetBodyString(common.Spun)
		default:
			ctx.SetStatusCode(fasthttp.StatusNotFound)
		}
	}
}

func number(ctx *fasthttp.RequestCtx) int {
	return common.Number(string(ctx.URI().QueryString()))
}
