package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chromium returns the browser to drive. A newcomer without one has the test skipped; a machine meant for tests must have it.
func chromium(tb testing.TB) string {
	tb.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		tb.Fatal("there is no chromium on this machine")
	}
	tb.Skip("there is no chromium on this machine")
	return ""
}

// browser starts Chromium, for as long as the test runs.
func browser(tb testing.TB) context.Context {
	tb.Helper()
	options := append(
		chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(tb)), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(tb.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	)
	allocator, release := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(allocator)
	tb.Cleanup(func() {
		end()
		release()
	})
	if err := chromedp.Do(ctx); err != nil {
		tb.Fatalf("starting chromium: %v", err)
	}
	return ctx
}

// A tab is one of somebody's browser, and what went wrong in it.
type tab struct {
	tb    testing.TB
	ctx   context.Context
	mu    sync.Mutex
	wrong []string
}

// patience is how long something on the page may take, on a slow machine that does much else.
const patience = 2 * time.Minute

// visit opens the channel as somebody who was never here.
func visit(tb testing.TB, browser context.Context, url string, width, height int64) *tab { //nolint:revive // tests come first
	tb.Helper()
	p := &tab{tb: tb}
	listen := func(event any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch e := event.(type) {
		case *cdpruntime.EventExceptionThrown:
			p.wrong = append(p.wrong, (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
		case *log.EventEntryAdded:
			switch e.Entry.Source {
			case log.EntrySourceSecurity, log.EntrySourceViolation, log.EntrySourceJavascript:
				p.wrong = append(p.wrong, e.Entry.Text)
			}
		}
	}
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(listen))
	tb.Cleanup(end)
	p.ctx = ctx
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as the context of its first action
		tb.Fatal(err)
	}
	p.do(chromedp.EmulateViewport(width, height), chromedp.Navigate(url), chromedp.WaitVisible(testid("composer")))
	return p
}

func testid(name string) chromedp.CSS { return chromedp.CSS(`[data-testid="` + name + `"]`) }

// do runs actions in turn, each of which may take its time.
func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.tb.Helper()
	for i, a := range actions {
		ctx, cancel := context.WithTimeout(p.ctx, patience)
		err := chromedp.Do(ctx, a)
		cancel()
		if err != nil {
			p.keep("failure")
			p.tb.Fatalf("action %d: %v; the page:\n%s", i+1, err, p.text("body"))
		}
	}
}

// until waits for a JavaScript expression to hold.
func (p *tab) until(expression string) {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Poll[bool]("Boolean("+expression+")", chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(0)))
	if err != nil {
		p.keep("failure")
		p.tb.Fatalf("waiting for %s: %v; the page:\n%s", expression, err, p.text("body"))
	}
}

func (p *tab) text(selector string) (text string) {
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	text, _ = chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector)))
	return text
}

// evaluate returns what a JavaScript expression is.
func evaluate[T any](p *tab, expression string) T {
	p.tb.Helper()
	return get(p, chromedp.Evaluate[T](expression))
}

// get runs an action that has a result.
func get[T any](p *tab, action chromedp.Action[T]) T {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		p.keep("failure")
		p.tb.Fatalf("%v; the page:\n%s", err, p.text("body"))
	}
	return result
}

// say types a line and sends it.
func (p *tab) say(line string) {
	p.tb.Helper()
	p.do(chromedp.Click(testid("composer")), chromedp.SendKeys(testid("composer"), line+kb.Escape))
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		p.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) { // kb.Enter would type a new line as well
			_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{
				Type: kind, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13,
			})
			return chromedp.Void{}, err
		})
	}
}

// newest returns the ID of the newest job's message.
func (p *tab) newest() string {
	p.tb.Helper()
	return evaluate[string](p, `[...document.querySelectorAll('[data-testid="message"][data-job]')].at(-1)?.dataset.job ?? ''`)
}

// next waits until a job that was not there before has its pictures, and returns it.
func (p *tab) next(before string, pictures int) (job string) {
	p.tb.Helper()
	p.until(fmt.Sprintf(`(() => { const m = [...document.querySelectorAll('[data-testid="message"][data-job]')].at(-1);
		return m && m.dataset.job !== %q && [...m.querySelectorAll('img[data-testid="picture"]')].filter((i) => i.complete && i.naturalWidth).length === %d })()`,
		before, pictures))
	return p.newest()
}

// of is a part of a job's message.
func of(job string, what chromedp.CSS) chromedp.CSS {
	return chromedp.CSS(fmt.Sprintf(`#job-%s %s`, job, what))
}

func button(job, action string, index int) chromedp.CSS {
	return of(job, chromedp.CSS(fmt.Sprintf(`[data-action=%q][data-index="%d"]`, action, index)))
}

func (p *tab) press(job, action string, index int) {
	p.tb.Helper()
	p.do(chromedp.ScrollIntoView(button(job, action, index)), chromedp.Click(button(job, action, index)))
}

// seen takes a picture of an element as the browser shows it.
func (p *tab) seen(selector chromedp.CSS) image.Image {
	p.tb.Helper()
	p.do(chromedp.ScrollIntoView(selector))
	m, err := png.Decode(bytes.NewReader(get(p, chromedp.Screenshot(selector))))
	if err != nil {
		p.tb.Fatal(err)
	}
	return m
}

// keep saves what the whole page looks like, if EASEL_SCREENSHOTS names a folder.
func (p *tab) keep(name string) {
	dir := os.Getenv("EASEL_SCREENSHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	file, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.tb.Logf("no screenshot of %s: %v", name, err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), file, 0o600); err != nil {
		p.tb.Log(err)
	}
}

// well fails the test for every script error and every breach of the content policy.
func (p *tab) well() {
	p.tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, text := range p.wrong {
		p.tb.Errorf("in the page: %s", text)
	}
}

// mean is the mean colour of a part of a picture, given in hundredths of its sides.
func mean(m image.Image, x0, y0, x1, y1 int) (r, g, b float64) {
	s := m.Bounds()
	n := 0.0
	for y := s.Min.Y + s.Dy()*y0/100; y < s.Min.Y+s.Dy()*y1/100; y++ {
		for x := s.Min.X + s.Dx()*x0/100; x < s.Min.X+s.Dx()*x1/100; x++ {
			cr, cg, cb, _ := m.At(x, y).RGBA()
			r, g, b, n = r+float64(cr>>8), g+float64(cg>>8), b+float64(cb>>8), n+1
		}
	}
	return r / n, g / n, b / n
}

// isFoxOnBlue looks at the pixels: blue at the left and right edge, and something of a fox's red in the middle.
func isFoxOnBlue(m image.Image) error {
	for _, x := range []int{4, 91} {
		if r, g, b := mean(m, x, 25, x+5, 75); b < r+40 || b < g+15 {
			return fmt.Errorf("at %d %% of its width it is (%.0f, %.0f, %.0f), which is not blue", x, r, g, b)
		}
	}
	red := 0
	for y := range 50 {
		for x := range 50 {
			if r, _, b := mean(m, 25+x, 25+y, 26+x, 26+y); r > b+60 {
				red++
			}
		}
	}
	if red < 250 {
		return fmt.Errorf("%d of 2500 spots in its middle are red, which is no fox", red)
	}
	return nil
}

// differ tells how far two pictures of one size are apart, on average, in 255ths.
func differ(a, b image.Image) float64 {
	if a.Bounds().Size() != b.Bounds().Size() {
		return 255
	}
	var sum, n float64
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r, g, bl, _ := a.At(a.Bounds().Min.X+x, a.Bounds().Min.Y+y).RGBA()
			r2, g2, b2, _ := b.At(b.Bounds().Min.X+x, b.Bounds().Min.Y+y).RGBA()
			for _, d := range []float64{float64(r) - float64(r2), float64(g) - float64(g2), float64(bl) - float64(b2)} {
				sum, n = sum+max(d, -d)/257, n+1
			}
		}
	}
	return sum / n
}

func (p *tab) count(selector chromedp.CSS) int {
	p.tb.Helper()
	return evaluate[int](p, fmt.Sprintf(`document.querySelectorAll(%q).length`, selector))
}

func decodeFile(tb testing.TB, file string) image.Image {
	tb.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		tb.Fatal(err)
	}
	return m
}
