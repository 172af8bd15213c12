package nethttp_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	_ "net/http/pprof"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/eddynet/eddy/http1"
)

// to is a request with these further lines in its head.
func to(method, target string, lines ...string) string {
	head := method + " " + target + " HTTP/1.1\r\nHost: a\r\n"
	for _, line := range lines {
		head += line + "\r\n"
	}
	return head + "\r\n"
}

// alikeHandler has one path for each behaviour.
func alikeHandler(upstream string) http.Handler {
	mux := http.NewServeMux()
	addPlain(mux.HandleFunc)
	addHeads(mux.HandleFunc)
	addFramings(mux.HandleFunc)
	addFields(mux.HandleFunc)
	addBodies(mux.HandleFunc)
	addUses(mux.HandleFunc)
	addStandard(mux, upstream)
	return mux
}

type handleFunc = func(pattern string, h func(http.ResponseWriter, *http.Request))

func addPlain(handle handleFunc) {
	handle("/alive", func(w http.ResponseWriter, r *http.Request) {})
	handle("/hello", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "Hello, World!") })
	handle("/html", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>hello") })
	handle("/typed", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "a/b")
		w.Write([]byte("<html>"))
	})
	handle("/untyped", func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = nil
		w.Write([]byte("<html>"))
	})
	handle("/encoded", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write([]byte("<html>"))
	})
	handle("GET /only", func(w http.ResponseWriter, r *http.Request) {})
	handle("GET /item/{id}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.PathValue("id"), " ", r.Pattern)
	})
	handle("/tree/", func(w http.ResponseWriter, r *http.Request) {})
	handle("/redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/hello?x=1", http.StatusFound) })
	handle("/seen", requestSeen)
}

func addHeads(handle handleFunc) {
	handle("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		var code int
		fmt.Sscan(r.PathValue("code"), &code)
		w.Header().Set("Content-Length", "2")
		w.Header().Set("X-A", "b")
		w.WriteHeader(code)
		_, err := io.WriteString(w, "ab")
		w.Header().Set("X-Late", fmt.Sprint(err)) // has no effect
	})
	handle("/superfluous", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(201)
		w.WriteHeader(500)
		io.WriteString(w, "a")
		w.WriteHeader(404)
	})
	handle("/invalid", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(99) })
	handle("/early", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(103)
		w.Header().Set("X-More", "1")
		w.WriteHeader(103)
		io.WriteString(w, "done")
	})
}

func addFramings(handle handleFunc) {
	handle("/length/{n}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", r.PathValue("n"))
		_, err := io.WriteString(w, "12345")
		if err != nil && err != http.ErrContentLength {
			panic(err)
		}
	})
	handle("/nolength", func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Length"] = nil
		io.WriteString(w, "12345")
	})
	handle("/readfrom", func(w http.ResponseWriter, r *http.Request) {
		n, err := w.(io.ReaderFrom).ReadFrom(io.LimitReader(strings.NewReader(strings.Repeat("12345", 20000)), 90001))
		fmt.Fprint(w, n, err)
	})
	handle("/chunks", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		for _, s := range []string{"a", "bc", "def"} {
			io.WriteString(w, s)
			w.(http.Flusher).Flush()
		}
	})
	handle("/flushlength", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "4")
		io.WriteString(w, "ab")
		http.NewResponseController(w).Flush()
		io.WriteString(w, "cd")
		_, err := io.WriteString(w, "e")
		if err != http.ErrContentLength {
			panic(fmt.Sprint(err))
		}
	})
	handle("/short", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "40")
		io.WriteString(w, "ab")
		http.NewResponseController(w).Flush()
	})
	handle("/trailers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum, X-Unset")
		w.Header().Add("Trailer", "Content-Length, X-Two")
		io.WriteString(w, "body")
		w.Header().Set("X-Sum", "42")
		w.Header()["X-Two"] = []string{"1", "2"}
		w.Header().Set("X-Other", "not announced")
	})
	handle("/trailerprefix", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "body")
		w.(http.Flusher).Flush()
		w.Header().Set(http.TrailerPrefix+"X-Sum", "42")
	})
	handle("/twotrailers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Two")
		io.WriteString(w, "body")
		w.Header()["X-Two"] = []string{"1", "2"}
	})
	handle("/trailerprefixearly", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(http.TrailerPrefix+"X-Sum", "42")
		io.WriteString(w, "body")
	})
}

func addFields(handle handleFunc) {
	handle("/closing", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		io.WriteString(w, "bye")
	})
	handle("/upgraderequired", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(426)
	})
	handle("/owndate", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", "mine")
		w.Header().Set("Server", "mine too")
	})
	handle("/nodate", func(w http.ResponseWriter, r *http.Request) { w.Header()["Date"] = nil })
	handle("/badfields", func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Split"] = []string{"a\r\nX-Injected: b", "  c\n"}
		w.Header()["Not a name"] = []string{"x"}
		w.Header()["lower"] = []string{"kept"}
	})
	handle("/te", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Transfer-Encoding", "chunked")
		io.WriteString(w, "<html>")
	})
}

func addBodies(handle handleFunc) {
	handle("/echo", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %v", b, err)
	})
	handle("/ignore", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ignored") })
	handle("/closebody", func(w http.ResponseWriter, r *http.Request) {
		r.Body.Close()
		_, err := r.Body.Read(make([]byte, 1))
		io.WriteString(w, err.Error())
	})
	handle("/max", func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 3))
		fmt.Fprintf(w, "%T %v", err, err)
	})
	handle("/panic", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "not sent")
		panic("on purpose")
	})
	handle("/abort", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "begun")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
}

func addUses(handle handleFunc) {
	handle("/cookies", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1", HttpOnly: true})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2", Path: "/"})
		for _, c := range r.Cookies() {
			fmt.Fprint(w, c.Name, "=", c.Value, " ")
		}
	})
	handle("/auth", func(w http.ResponseWriter, r *http.Request) {
		if name, password, ok := r.BasicAuth(); !ok || name != "Aladdin" || password != "open sesame" {
			w.Header().Set("WWW-Authenticate", `Basic realm="cave"`)
			http.Error(w, "no", http.StatusUnauthorized)
		}
	})
	handle("/form", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.FormValue("a"), r.PostFormValue("b"))
	})
}

func addStandard(mux *http.ServeMux, upstream string) {
	mux.Handle("/strip/", http.StripPrefix("/strip", http.HandlerFunc(requestSeen)))
	mux.Handle("/timeout", http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	}), time.Millisecond, "too slow"))
	mux.Handle("/intime", http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "in time")
	}), time.Hour, "too slow"))
	mux.Handle("/maxhandler", http.MaxBytesHandler(mux, 3))
	mux.Handle("/files/", http.StripPrefix("/files", http.FileServerFS(fstest.MapFS{
		"a.txt":      {Data: []byte("0123456789"), ModTime: time.Unix(1e9, 0)},
		"dir/b.html": {Data: []byte("<p>b"), ModTime: time.Unix(1e9, 0)},
	})))
	mux.HandleFunc("/etag", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		http.ServeContent(w, r, "a.txt", time.Time{}, strings.NewReader("content"))
	})
	target, _ := url.Parse("http://" + upstream)
	mux.Handle("/proxied/", http.StripPrefix("/proxied", httputil.NewSingleHostReverseProxy(target)))
	mux.Handle("/debug/pprof/cmdline", http.DefaultServeMux)
}

// requestSeen tells what the handler sees of the request.
func requestSeen(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	local := r.Context().Value(http.LocalAddrContextKey) != nil
	server := r.Context().Value(http.ServerContextKey).(*http.Server) != nil
	_ = json.NewEncoder(w).Encode(map[string]any{ // to a test: an error is seen there
		"method": r.Method, "url": *r.URL, "uri": r.RequestURI, "proto": r.Proto, "major": r.ProtoMajor,
		"minor": r.ProtoMinor, "header": r.Header, "length": r.ContentLength, "te": r.TransferEncoding,
		"host": r.Host, "close": r.Close, "trailer": r.Trailer, "body": string(body), "error": fmt.Sprint(err),
		"remote": r.RemoteAddr[:strings.LastIndex(r.RemoteAddr, ":")], "local": local, "server": server,
	})
}

// alike are requests that both servers answer alike.
var alike = []string{
	to("GET", "/hello"), to("HEAD", "/hello"), to("GET", "/html"), to("GET", "/typed"), to("GET", "/untyped"),
	to("GET", "/encoded"), to("GET", "/alive"), to("HEAD", "/alive"),
	to("GET", "/hello") + to("POST", "/echo", "Content-Length: 3") + "abc" + to("GET", "/html"),
	to("GET", "/hello", "Connection: close"),
	"GET /hello HTTP/1.1\r\nhost: a\r\nconnection: Close\r\n\r\n",
	to("GET", "/item/17"), to("POST", "/only"), to("GET", "/tree"), to("GET", "/tree/../hello"), to("GET", "//hello"),
	to("GET", "/redirect"), to("POST", "/redirect"), to("HEAD", "/redirect"), to("GET", "/missing"),
	to("GET", "/seen?a=b&c=%20", "X-A: 1", "x-a: 2", "Cookie: c=d", "X-Empty:"),
	to("GET", "/se%65n"), to("GET", "http://b.example:80/seen?q"), to("GET", "/seen", "Pragma: no-cache"),
	to("GET", "/seen", "Connection: close, x", "Te: trailers"),
	to("POST", "/seen", "Content-Length: 0"),
	to("POST", "/seen", "Content-Length: 5") + "12345",
	to("POST", "/seen", "Transfer-Encoding: chunked") + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
	to("POST", "/seen", "Transfer-Encoding: chunked", "Trailer: X-Sum, X-Unsent") + "3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n",
	to("OPTIONS", "*"), to("OPTIONS", "/seen"), to("BREW", "/seen"),
	to("GET", "/status/200"), to("GET", "/status/201"), to("GET", "/status/204"), to("GET", "/status/304"),
	to("GET", "/status/404"), to("GET", "/status/500"), to("GET", "/status/599"), to("GET", "/status/777"),
	to("HEAD", "/status/200"), to("HEAD", "/status/204"), to("GET", "/superfluous"), to("GET", "/invalid"),
	to("GET", "/early"), to("HEAD", "/early"),
	to("GET", "/length/5"), to("GET", "/length/4"), to("GET", "/length/9"),
	to("HEAD", "/length/5"), to("HEAD", "/length/9"),
	to("GET", "/nolength"), to("HEAD", "/nolength"), to("GET", "/readfrom"), to("HEAD", "/readfrom"),
	to("GET", "/chunks"), to("HEAD", "/chunks"), to("GET", "/short"),
	to("GET", "/trailers"), to("HEAD", "/trailers"), to("GET", "/trailerprefix"), to("GET", "/trailerprefixearly"),
	to("GET", "/twotrailers"),
	to("GET", "/closing"), to("GET", "/upgraderequired"), to("GET", "/owndate"), to("GET", "/nodate"),
	to("GET", "/badfields"), to("GET", "/te"), to("HEAD", "/te"),
	to("POST", "/echo", "Content-Length: 3") + "abc",
	to("POST", "/ignore", "Content-Length: 3") + "abc",
	to("POST", "/ignore", "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\n\r\n",
	to("POST", "/ignore", "Content-Length: 4", "Expect: 100-continue") + "body",
	to("POST", "/closebody", "Content-Length: 3") + "abc",
	to("GET", "/panic"), to("GET", "/abort"),
	to("GET", "/cookies", "Cookie: x=1; y=2"), to("GET", "/auth"),
	to("GET", "/auth", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
	to("POST", "/form?a=1", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 3") + "b=2",
	to("GET", "/strip/x?y"), to("GET", "/timeout"), to("GET", "/intime"),
	to("GET", "/files/"), to("GET", "/files/a.txt"), to("HEAD", "/files/a.txt"), to("GET", "/files/dir"),
	to("GET", "/files/none"), to("GET", "/files/a.txt", "Range: bytes=2-4"), to("GET", "/files/a.txt", "Range: bytes=90-"),
	to("GET", "/files/dir/b.html"),
	to("GET", "/files/a.txt", "If-Modified-Since: Mon, 02 Jan 2023 15:04:05 GMT"),
	to("GET", "/etag", `If-None-Match: "v1"`), to("GET", "/etag", `If-Match: "v2"`), to("GET", "/etag"),
	to("GET", "/proxied/hello"), to("GET", "/proxied/trailerprefix"), to("GET", "/proxied/trailers"),
	to("POST", "/proxied/echo", "Content-Length: 3") + "abc", to("GET", "/proxied/status/404"),
	to("GET", "/proxied/owndate"), to("GET", "/proxied/early"), to("GET", "/proxied/abort"),
	to("GET", "/debug/pprof/cmdline"),
	to("POST", "/ignore", "Content-Length: 300000") + strings.Repeat("x", 300000),
	to("POST", "/ignore", "Content-Length: 200000") + strings.Repeat("x", 200000),
	to("GET", "/proxied/short"), to("GET", "/proxied/panic"), to("GET", "/hello", "Upgrade: h2c", "Connection: Upgrade"),
	"HEAD /alive HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	"GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	"GET /hello HTTP/1.0\r\n\r\n", "GET /seen HTTP/1.0\r\n\r\n", "GET /chunks HTTP/1.0\r\n\r\n",
	"POST /echo HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
}

func TestAnswersAlike(t *testing.T) {
	upstream := serveStandard(t, alikeHandler("127.0.0.1:1"))
	h := alikeHandler(upstream)
	standard, engine := serveStandard(t, h), serveHandler(t, h, http1.Options{}).addr
	for _, sent := range alike {
		name, _, _ := strings.Cut(sent, "\r\n")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, got := converse(t, standard, sent), converse(t, engine, sent)
			if got != want {
				t.Errorf("to %.200q\nnet/http answers\n%s\nthe engine\n%s", sent, want, got)
			}
		})
	}
}

const plain = "  Content-Type: text/plain; charset=utf-8\n"

// unlike are requests that the engine answers in another way than net/http.
var unlike = []struct{ why, sent, answer string }{
	{"what the engine refuses is told in its words", to("GET", "/%zz"),
		"400 Bad Request length=12 [] close=true\n  Content-Length: 12\n" + plain +
			"  Date: (now)\nbody \"Bad Request\\n\"\nclosed\n"},
	{"the same", to("POST", "/echo", "Transfer-Encoding: chunked", "Trailer: Content-Length") + "0\r\n\r\n",
		"400 Bad Request length=12 [] close=true\n  Content-Length: 12\n" + plain +
			"  Date: (now)\nbody \"Bad Request\\n\"\nclosed\n"},
	{"CONNECT needs AllowConnect", to("CONNECT", "a:443"),
		"501 Not Implemented length=16 [] close=true\n  Content-Length: 16\n" + plain +
			"  Date: (now)\nbody \"Not Implemented\\n\"\nclosed\n"},
	{"205 has no content (RFC 9110 section 15.3.6)", to("GET", "/status/205"),
		"205 Reset Content length=0 [] close=false\n  Content-Length: 0\n" + plain +
			"  Date: (now)\n  X-A: b\nbody \"\"\nopen\n"},
	{"a length that is none does not keep the right one out", to("GET", "/length/x"),
		"200 OK length=5 [] close=false\n  Content-Length: 5\n" + plain + "  Date: (now)\nbody \"12345\"\nopen\n"},
	{"no length has a sign (RFC 9110 section 8.6)", to("GET", "/length/+5"),
		"200 OK length=5 [] close=false\n  Content-Length: 5\n" + plain + "  Date: (now)\nbody \"12345\"\nopen\n"},
	{"writing too much does no harm to a complete answer", to("GET", "/flushlength"),
		"200 OK length=4 [] close=false\n  Content-Length: 4\n" + plain + "  Date: (now)\nbody \"abcd\"\nopen\n"},
	{"HTTP/1.0 knows no interim answers (RFC 9110 section 15.2)", "GET /early HTTP/1.0\r\n\r\n",
		"200 OK length=4 [] close=true\n  Content-Length: 4\n" + plain + "  Date: (now)\n" +
			"  Link: </a.css>; rel=preload\n  X-More: 1\nbody \"done\"\nclosed\n"},
	{"trailers that cannot be sent do not cost the length", "GET /trailers HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		"200 OK length=4 [] close=false\n  Connection: keep-alive\n  Content-Length: 4\n" + plain + "  Date: (now)\n" +
			"  Trailer: Content-Length, X-Two\n  Trailer: X-Sum, X-Unset\nbody \"body\"\nopen\n"},
}

func TestAnswersUnlike(t *testing.T) {
	h := alikeHandler("127.0.0.1:1")
	standard, engine := serveStandard(t, h), serveHandler(t, h, http1.Options{}).addr
	for _, c := range unlike {
		name, _, _ := strings.Cut(c.sent, "\r\n")
		t.Run(name, func(t *testing.T) {
			if got := converse(t, engine, c.sent); got != c.answer {
				t.Errorf("the engine answers\n%s\nwant\n%s", got, c.answer)
			}
			if converse(t, standard, c.sent) == c.answer {
				t.Errorf("net/http answers alike: move the request to the other table")
			}
		})
	}
}
