package main_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/eddynet/eddy/examples/internal/program"
)

var screenshots = flag.String("screenshots", "", "write screenshots of the browser's tabs into this folder")

// browser starts Chromium. It skips the test if none is installed.
func browser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no browser is started")
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium is installed")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(760, 720),
		chromedp.WSURLReadTimeout(time.Minute))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// tab is a page in the browser.
type tab struct {
	t    *testing.T
	ctx  context.Context
	name string
}

func open(t *testing.T, browser context.Context, address, query, name string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil { // the tab exists as long as this context
		t.Fatal(err)
	}
	p := &tab{t, ctx, name}
	p.run(chromedp.Navigate("http://"+address+"/?"+query), chromedp.WaitVisible("#state.live"))
	return p
}

func (p *tab) run(actions ...chromedp.Action) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 2*program.Patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		p.t.Fatalf("tab %s: %v", p.name, err)
	}
}

func (p *tab) say(text string) {
	p.t.Helper()
	p.run(chromedp.SendKeys("#text", text+"\r"))
}

// sees waits until the last messages on the page are these.
func (p *tab) sees(want ...string) {
	p.t.Helper()
	var got []string
	for deadline := time.Now().Add(program.Patience); time.Now().Before(deadline); {
		p.run(chromedp.Evaluate(`[...document.querySelectorAll("#messages li p")].map(p => p.textContent)`, &got))
		if len(got) >= len(want) && strings.Join(got[len(got)-len(want):], "\n") == strings.Join(want, "\n") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.t.Fatalf("tab %s shows %q, want %q at the end", p.name, got, want)
}

func (p *tab) screenshot() {
	p.t.Helper()
	if *screenshots == "" {
		return
	}
	var picture []byte
	p.run(chromedp.CaptureScreenshot(&picture))
	if err := os.WriteFile(*screenshots+"/"+p.name+".png", picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func TestTwoTabsTalk(t *testing.T) {
	browser := browser(t)
	p, address := start(t)
	ada := open(t, browser, address, "name=Ada&via=poll", "poll")
	bob := open(t, browser, address, "name=Bob&via=socket", "socket")

	ada.say("Hello, is anybody there?")
	bob.sees("Hello, is anybody there?")
	bob.say("Yes: I came in by WebSocket. And you?")
	ada.sees("Yes: I came in by WebSocket. And you?")
	ada.say("Long polling. Feels the same, doesn't it?")
	attack := `<img src=x onerror="document.title='broken'"> & <script>alert(1)</script>`
	bob.say(attack)
	all := []string{
		"Hello, is anybody there?", "Yes: I came in by WebSocket. And you?",
		"Long polling. Feels the same, doesn't it?", attack,
	}
	ada.sees(all...)
	bob.sees(all...)

	ada.run(chromedp.Click(`#transport [value=socket] + span`), chromedp.WaitVisible("#state.live"))
	bob.run(chromedp.Click(`#transport [value=poll] + span`), chromedp.WaitVisible("#state.live"))
	ada.say("Now we have changed places.")
	bob.say("So we have.")
	all = append(all, "Now we have changed places.", "So we have.")
	ada.sees(all...)
	bob.sees(all...)
	var title string
	ada.run(chromedp.Title(&title))
	if title != "eddy chat" {
		t.Errorf("a message was executed as a script: the title is %q", title)
	}
	ada.screenshot()
	bob.screenshot()

	// The browser keeps connections open; the server closes them in its drain.
	p.Signal(os.Interrupt)
	p.ExitsCleanly()
}

// A page whose server is restarted reconnects, and receives all messages sent there.
func TestTabsReconnectToARestartedServer(t *testing.T) {
	browser := browser(t)
	first, address := start(t)
	polling := open(t, browser, address, "name=Ada&via=poll", "poll")
	talking := open(t, browser, address, "name=Bob&via=socket", "socket")
	polling.say("before")
	talking.sees("before")
	first.Kill()
	program.Start(t, "-listen", address).Stdout.Line("http://")
	send(t, address, "Cyd", "after")
	polling.sees("before", "Some messages are missing here.", "after")
	talking.sees("before", "Some messages are missing here.", "after")
}
