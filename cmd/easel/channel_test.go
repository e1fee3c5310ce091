package main

import (
	"fmt"
	"image"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestChannel is what somebody does who has just started the demo: types, watches, and presses every button.
func TestChannel(t *testing.T) {
	chrome := browser(t)
	s, _ := begin(t, demo(t)(), "EASEL_LISTEN=127.0.0.1:0")
	ada := visit(t, chrome, s.url, 1200, 900)

	typed := time.Now()
	ada.say("/imagine a red fox on a blue background")
	ada.until(`document.querySelector('[data-testid="message"][data-job]')`)
	acknowledged := time.Since(typed)
	fox := ada.next("", 4)
	t.Logf("acknowledged after %v, four pictures after %v", acknowledged.Round(time.Millisecond), time.Since(typed).Round(time.Millisecond))
	pictures := foxes(ada, fox, 4)
	ada.keep("grid")

	t.Run("U shows one large", func(t *testing.T) {
		for k := range 4 {
			before := ada.newest()
			ada.press(fox, "upscale", k)
			large := ada.next(before, 1)
			if err := isFoxOnBlue(ada.seen(of(large, testid("picture")))); err != nil {
				t.Errorf("U%d: %v", k+1, err)
			}
			if d := differ(original(ada, large, 0), pictures[k]); d > 0 {
				t.Errorf("U%d shows another picture, %.2f apart", k+1, d)
			}
		}
	})
	t.Run("V paints variations", func(t *testing.T) {
		for k := range 4 {
			before := ada.newest()
			ada.press(fox, "vary", k)
			varied := ada.next(before, 4)
			for i, m := range foxes(ada, varied, 4) {
				if d := differ(m, pictures[k]); d < 0.5 || d > 60 {
					t.Errorf("V%d: picture %d is %.2f from its parent", k+1, i+1, d)
				}
			}
		}
	})
	t.Run("a variation of a variation", func(t *testing.T) {
		before := ada.newest()
		ada.press(before, "vary", 1)
		foxes(ada, ada.next(before, 4), 4)
	})
	t.Run("Reroll", func(t *testing.T) {
		before := ada.newest()
		ada.press(fox, "reroll", 0)
		for i, m := range foxes(ada, ada.next(before, 4), 4) {
			if d := differ(m, pictures[i]); d < 1 {
				t.Errorf("picture %d came out again, %.2f apart", i+1, d)
			}
		}
	})
	t.Run("Details", func(t *testing.T) { details(ada, fox, pictures) })
	t.Run("the viewer, by keyboard", func(t *testing.T) { viewer(ada, fox) })
	t.Run("Cancel and Try again", func(t *testing.T) {
		before := ada.newest()
		ada.say("/imagine a car --steps 500 --count 4")
		ada.until(fmt.Sprintf(`document.querySelector('[data-testid="message"][data-job]:last-of-type') && document.querySelectorAll(%q).length > 0`, `[data-action="cancel"]`))
		ada.until(`document.querySelector('[data-testid="sketch"]')`)
		ada.keep("painting")
		car := ada.newest()
		if car == before {
			t.Fatal("the car has no message")
		}
		ada.press(car, "cancel", 0)
		ada.until(fmt.Sprintf(`document.querySelector(%q).dataset.state === 'cancelled' && document.querySelector(%q)`, "#job-"+car, button(car, "reroll", 0)))
		ada.press(car, "reroll", 0)
		ada.until(fmt.Sprintf(`document.querySelectorAll('[data-action="cancel"]').length === 1 && [...document.querySelectorAll('[data-testid="message"][data-job]')].at(-1).dataset.job !== %q`, car))
		ada.press(ada.newest(), "cancel", 0)
		ada.until(`document.querySelectorAll('[data-action="cancel"]').length === 0`)
	})
	t.Run("Delete asks first", func(t *testing.T) {
		before := ada.newest()
		ada.press(before, "delete", 0)
		ada.until(fmt.Sprintf(`document.querySelector(%q).dataset.asked`, button(before, "delete", 0)))
		ada.press(before, "delete", 0)
		ada.until(fmt.Sprintf(`!document.querySelector(%q)`, "#job-"+before))
	})
	t.Run("somebody else", func(t *testing.T) {
		bob := visit(t, chrome, s.url, 360, 740)
		bob.until(fmt.Sprintf(`document.querySelectorAll(%q).length === 4`, of(fox, testid("picture"))))
		if n := bob.count(button(fox, "delete", 0)); n != 0 {
			t.Error("he may delete what is hers")
		}
		bob.do(chromedp.Click(testid("name")), chromedp.WaitVisible(testid("name-input")),
			chromedp.Clear(testid("name-input")), chromedp.SendKeys(testid("name-input"), "Bob <b>& co</b>"), chromedp.Click(testid("name-save")))
		bob.until(`!document.querySelector('[data-testid="name-dialog"]').open`)
		bob.say("hello & <i>welcome</i>")
		ada.until(`[...document.querySelectorAll('[data-testid="message"]')].some((m) => m.innerText.includes('Bob <b>& co</b>') && m.innerText.includes('hello & <i>welcome</i>'))`)
		if evaluate[bool](bob, `document.documentElement.scrollWidth > innerWidth`) {
			t.Error("at 360 pixels the page is wider than the window")
		}
		bob.keep("phone")
		bob.say("/imagine a pizza --count 9")
		bob.until(`document.querySelector('[data-testid="notice"]')?.innerText.includes('--count')`)
		bob.do(chromedp.SetValue(testid("composer"), "/imagine "+strings.Repeat("fox ", 1250)), chromedp.Click(testid("send")))
		bob.until(`document.querySelector('[data-testid="notice"]')?.innerText.includes('at most 2000')`)
		bob.well()
	})
	t.Run("a hostile prompt", func(t *testing.T) {
		hostile := "<img src=x onerror=document.title=1> a fox \u202e'\"&amp;"
		shown := strings.ReplaceAll(hostile, "\u202e", "") // what turns text around is not shown
		before := ada.newest()
		ada.do(chromedp.SetValue(testid("composer"), "/imagine "+hostile+" --count 1"), chromedp.Click(testid("send")))
		job := ada.next(before, 1)
		if text := ada.text(string(of(job, testid("command")))); !strings.Contains(text, shown) {
			t.Errorf("the message shows %q, want it as it was typed, the right way round", text)
		}
		if alt := evaluate[string](ada, fmt.Sprintf(`document.querySelector(%q).alt`, pictureOf(job, 0))); !strings.Contains(alt, shown) {
			t.Errorf("the picture's text is %q", alt)
		}
		if title := get(ada, chromedp.Title()); title == "1" {
			t.Error("the prompt's script ran")
		}
	})
	t.Run("every picture has its text", func(t *testing.T) {
		if n := ada.count(`img[data-testid="picture"]:not([alt]), img[data-testid="picture"][alt=""]`); n > 0 {
			t.Errorf("%d pictures have no alt text", n)
		}
	})
	ada.well()
	s.end(t, syscall.SIGINT)
}

// TestChannelOutlivesReloadsAndRestarts reloads the page in the middle of painting and stops the server under it.
func TestChannelOutlivesReloadsAndRestarts(t *testing.T) {
	chrome, data := browser(t), filepath.Join(t.TempDir(), "data")
	s := serving(t, data)
	ada := visit(t, chrome, s.url, 1000, 800)
	ada.say("/imagine a red fox on a blue background")
	fox := ada.next("", 4)
	pictures := foxes(ada, fox, 4)

	ada.say("/imagine a red fox on a blue background --steps 150 --seed 7")
	ada.until(`document.querySelector('[data-testid="sketch"]')`)
	slow := ada.newest()
	ada.do(chromedp.Reload(), chromedp.WaitVisible(testid("composer")))
	ada.until(fmt.Sprintf(`document.querySelector(%q)`, of(slow, testid("sketch")))) // it goes on where it was
	foxes(ada, ada.next(fox, 4), 4)

	ada.say("/imagine a red fox on a blue background --steps 150 --seed 8")
	ada.until(fmt.Sprintf(`document.querySelector('[data-testid="sketch"]') && [...document.querySelectorAll('[data-testid="message"][data-job]')].at(-1).dataset.job !== %q`, slow))
	third := ada.newest()
	s.end(t, syscall.SIGTERM)
	ada.until(`document.querySelector('[data-testid="connection"]').innerText !== ''`)
	ada.say("/imagine a red fox on a blue background --count 1") // while nobody is there to hear it
	ada.until(`document.querySelector('[data-testid="pending"]')`)
	ada.keep("away")
	ada.do(chromedp.Evaluate[chromedp.Void](`document.title = 'the old tab'`))

	s = serving(t, data, "EASEL_LISTEN="+s.address())
	ada.until(fmt.Sprintf(`document.querySelectorAll(%q).length === 4`, of(third, testid("picture"))))
	foxes(ada, third, 4)
	fourth := ada.next(third, 1)
	foxes(ada, fourth, 1)
	ada.press(fox, "upscale", 2) // a button of before
	large := ada.next(fourth, 1)
	if d := differ(original(ada, large, 0), pictures[2]); d > 0 {
		t.Errorf("after the restart U3 shows another picture, %.2f apart", d)
	}
	if title := get(ada, chromedp.Title()); title != "the old tab" {
		t.Errorf("the page was loaded anew: %q", title)
	}
	if n := ada.count(`[data-testid="message"][data-job]`); n != 5 {
		t.Errorf("there are %d messages, want 5: none lost, none twice", n)
	}
	ada.do(chromedp.Reload(), chromedp.WaitVisible(testid("composer")))
	ada.until(`document.querySelectorAll('[data-testid="message"][data-job]').length === 5`)
	if n := ada.count(testid("pending")); n != 0 {
		t.Errorf("%d lines are still pending", n)
	}
	ada.well()
	s.end(t, syscall.SIGTERM)
}

// TestOldTab leaves a page open while the server gets another data folder: nothing of before is known, and the page says so
// by showing what there is, under a new identity, without being reloaded.
func TestOldTab(t *testing.T) {
	chrome := browser(t)
	s := serving(t, filepath.Join(t.TempDir(), "data"))
	ada := visit(t, chrome, s.url, 1000, 800)
	ada.say("hello, whoever you are")
	ada.until(`[...document.querySelectorAll('[data-testid="message"]')].some((m) => m.innerText.includes('whoever'))`)
	s.end(t, syscall.SIGTERM)
	s = serving(t, filepath.Join(t.TempDir(), "data"), "EASEL_LISTEN="+s.address())
	ada.until(`![...document.querySelectorAll('[data-testid="message"]')].some((m) => m.innerText.includes('whoever'))`)
	ada.say("/imagine a red fox on a blue background --count 1")
	foxes(ada, ada.next("", 1), 1)
	ada.well()
	s.end(t, syscall.SIGTERM)
}

// foxes wants a job's pictures to be of a fox on blue, as shown and as they are, and no two of them to be the same.
func foxes(p *tab, job string, n int) []image.Image {
	p.tb.Helper()
	all := make([]image.Image, n)
	for k := range all {
		if err := isFoxOnBlue(p.seen(pictureOf(job, k))); err != nil {
			p.tb.Errorf("picture %d as shown: %v", k+1, err)
		}
		all[k] = original(p, job, k)
		if err := isFoxOnBlue(all[k]); err != nil {
			p.tb.Errorf("picture %d: %v", k+1, err)
		}
		for j := range k {
			if d := differ(all[j], all[k]); d < 0.5 {
				p.tb.Errorf("pictures %d and %d are the same, %.2f apart", j+1, k+1, d)
			}
		}
	}
	return all
}

func pictureOf(job string, index int) chromedp.CSS {
	return of(job, chromedp.CSS(fmt.Sprintf(`img[data-testid="picture"][data-index="%d"]`, index)))
}

// original reads a picture's own pixels from the page.
func original(p *tab, job string, index int) image.Image {
	p.tb.Helper()
	pixels := evaluate[struct {
		Width, Height int
		Data          []byte
	}](p, fmt.Sprintf(`(() => {
		const i = document.querySelector(%q), c = document.createElement('canvas');
		c.width = i.naturalWidth; c.height = i.naturalHeight;
		const x = c.getContext('2d'); x.drawImage(i, 0, 0);
		const bytes = Array.from(x.getImageData(0, 0, c.width, c.height).data, (v) => String.fromCharCode(v));
		return { Width: c.width, Height: c.height, Data: btoa(bytes.join('')) };
	})()`, pictureOf(job, index)))
	m := image.NewNRGBA(image.Rect(0, 0, pixels.Width, pixels.Height))
	copy(m.Pix, pixels.Data)
	return m
}

// details opens Details and paints what its command line says: the same pictures.
func details(p *tab, job string, pictures []image.Image) {
	p.tb.Helper()
	p.press(job, "details", 0)
	p.do(chromedp.WaitVisible(testid("details")))
	p.keep("details")
	line := evaluate[string](p, `document.querySelector('[data-testid="detail"][data-name="Command line"]').innerText`)
	at := strings.Index(line, "easel imagine")
	if at < 0 {
		p.tb.Fatalf("Details show no command line: %q", line)
	}
	command, _, _ := strings.Cut(line[at:], "\n")
	dir := p.tb.(*testing.T).TempDir()
	shell := exec.CommandContext(p.tb.Context(), "bash", "-c", strings.Replace(command, "easel", program(p.tb), 1)+" --out "+dir)
	shell.Env = newcomer(p.tb)
	if out, err := shell.CombinedOutput(); err != nil {
		p.tb.Fatalf("%s: %v\n%s", command, err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.png"))
	if err != nil || len(files) != len(pictures) {
		p.tb.Fatalf("%s made %v, %v", command, files, err)
	}
	same := 0
	for _, file := range files {
		for _, m := range pictures {
			if differ(decodeFile(p.tb, file), m) == 0 {
				same++
			}
		}
	}
	if same != len(pictures) {
		p.tb.Errorf("%d of the pictures came out again from %s", same, command)
	}
	p.do(chromedp.KeyEvent(kb.Escape))
	p.until(`!document.querySelector('[data-testid="details"]').open`)
}

// viewer opens a picture by the keyboard alone, looks at the next one and closes it.
func viewer(p *tab, job string) {
	p.tb.Helper()
	p.do(chromedp.Focus(of(job, `.cell`)), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(testid("viewer-picture")))
	p.keep("viewer")
	src := `document.querySelector('[data-testid="viewer-picture"]').src`
	first := evaluate[string](p, src)
	p.do(chromedp.KeyEvent(kb.ArrowRight))
	p.until(src + ` !== ` + fmt.Sprintf("%q", first))
	second := evaluate[string](p, src)
	p.do(chromedp.KeyEvent(kb.Escape))
	p.until(`!document.querySelector('[data-testid="viewer"]').open`)
	if !strings.Contains(first, job+"/0") || !strings.Contains(second, job+"/1") {
		p.tb.Errorf("it showed %s, then %s", first, second)
	}
}
