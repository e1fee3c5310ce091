package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/oklog/ulid/v2"

	"github.com/easelbot/easel/moderation"
	"github.com/easelbot/easel/moderation/review"
	"github.com/easelbot/easel/store"
)

// TestCasesOnThePage has the owner decide what waits: two prompts, and pictures that are held.
func TestCasesOnThePage(t *testing.T) {
	chrome, dir := browser(t), t.TempDir()
	data, config := filepath.Join(dir, "data"), filepath.Join(dir, "easel.yaml")
	if err := os.WriteFile(config, []byte("moderation:\n  review: [lighthouse]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	serve := func(address string) *served {
		s, _ := begin(t, exec.CommandContext(t.Context(), program(t), "serve", "--config", config), "EASEL_DATA_DIR="+data, "EASEL_LISTEN="+address)
		return s
	}
	s := serve("127.0.0.1:0")
	mo := visit(t, chrome, s.url, 1200, 900)
	mo.say("the first to say something is the owner")
	bob := visit(t, chrome, s.url, 360, 740)

	hostile := "<img src=x onerror=document.title=1> a lighthouse"
	bob.do(chromedp.SetValue(testid("composer"), "/imagine "+hostile+" --negative fog --count 1"), chromedp.Click(testid("send")))
	first := mo.waiting("")
	if text := mo.text(string(inCase(first, testid("prompt")))); text != hostile {
		t.Errorf("the prompt is shown as %q", text)
	}
	if text := mo.text(string(inCase(first, testid("reasons")))); text == "" {
		t.Error("it does not say why it waits")
	}
	if n := bob.count(testid("case")); n != 0 {
		t.Error("who asked sees the case")
	}
	bob.refused(first, "approve", "Only moderators")
	mo.refused("01ARZ3NDEKTSV4RRFFQ69G5FAV", "approve", "not here")
	mo.keep("case")
	mo.do(chromedp.Focus(inCase(first, `[data-action="approve"]`)), chromedp.KeyEvent(kb.Enter))
	mo.decided(first, "Approved by")
	if !evaluate[bool](mo, fmt.Sprintf(`document.activeElement === document.querySelector(%q)`, inCase(first, ""))) {
		t.Error("the keyboard is not at the case any more")
	}
	bob.next("", 1)

	bob.say("/imagine another lighthouse --count 1")
	second := mo.waiting(first)
	mo.do(chromedp.Click(inCase(second, `[data-action="reject"]`)))
	mo.decided(second, "Rejected by")
	bob.until(`[...document.querySelectorAll('[data-kind="notice"]')].some((m) => m.innerText.includes('did not approve your prompt'))`)

	bob.say("/imagine a red fox on a blue background")
	bob.until(`document.querySelectorAll('img[data-testid="picture"]').length === 5`)
	fox := bob.newest()
	s.end(t, syscall.SIGTERM)
	doubt(t, filepath.Join(data, "easel.db"), fox)
	s = serve(s.address())
	third := mo.waiting(second)
	bob.until(fmt.Sprintf(`document.querySelectorAll(%q).length === 2`, of(fox, testid("veil"))))
	held(mo, third)
	mo.do(chromedp.Click(inCase(third, `[data-action="approve"]`)))
	mo.decided(third, "Approved by")
	bob.until(fmt.Sprintf(`document.querySelectorAll(%q).length === 4`, of(fox, testid("picture"))))

	mo.do(chromedp.Reload(), chromedp.WaitVisible(testid("composer")))
	mo.until(`document.querySelectorAll('[data-testid="case"]').length === 3`)
	mo.keep("case-decided")
	if title := get(mo, chromedp.Title()); title == "1" {
		t.Error("the prompt's script ran")
	}
	mo.well()
	bob.well()
	s.end(t, syscall.SIGTERM)
}

// inCase is a part of a case's message.
func inCase(id string, what chromedp.CSS) chromedp.CSS {
	return chromedp.CSS(fmt.Sprintf(`[data-case=%q] %s`, id, what))
}

// waiting waits for a case after another one, with its buttons, and returns it.
func (p *tab) waiting(before string) (id string) {
	p.tb.Helper()
	newest := `[...document.querySelectorAll('[data-testid="case"]')].at(-1)`
	p.until(fmt.Sprintf(`%s && %[1]s.dataset.case !== %q && %[1]s.querySelector('[data-action="approve"]')`, newest, before))
	return evaluate[string](p, newest+`.dataset.case`)
}

// decided waits until a case tells how it was decided, and wants nothing else of it to be left.
func (p *tab) decided(id, status string) {
	p.tb.Helper()
	p.until(fmt.Sprintf(`document.querySelector(%q)?.innerText.includes(%q)`, inCase(id, testid("status")), status))
	for _, gone := range []chromedp.CSS{"button", "img", testid("prompt"), testid("reasons")} {
		if p.count(inCase(id, gone)) > 0 {
			p.tb.Errorf("%s is still there in case %s", gone, id)
		}
	}
}

// refused presses a button that is not on the page, and wants to be told no.
func (p *tab) refused(id, action, says string) {
	p.tb.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`fetch('/api/actions', { method: 'POST', headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify({ key: 'forged', job: %q, action: %q, index: 0 }) }).then((r) => r.text()).then((text) => { window.told = text; })`, id, action)))
	p.until(fmt.Sprintf(`window.told?.includes(%q)`, says))
}

// held looks at a case's held pictures, and puts them away.
func held(p *tab, id string) {
	p.tb.Helper()
	reveal, pictures := inCase(id, `[data-action="reveal"]`), inCase(id, "img")
	if n := p.count(pictures); n != 0 {
		p.tb.Errorf("%d pictures are there that nobody asked for", n)
	}
	if evaluate[bool](p, `performance.getEntriesByType('resource').some(({ name }) => name.includes('/sealed/'))`) {
		p.tb.Error("held pictures were loaded that nobody asked for")
	}
	shown := fmt.Sprintf(`[...document.querySelectorAll(%q)].filter((i) => i.naturalWidth === 128 && i.alt.startsWith('Held picture')).length === 2`, pictures)
	p.do(chromedp.Focus(reveal), chromedp.KeyEvent(kb.Enter))
	p.until(shown)
	for _, scheme := range []string{"light", "dark"} {
		p.colours(scheme)
		p.keep("case-pictures-" + scheme)
	}
	p.do(chromedp.EmulateViewport(360, 740), chromedp.ScrollIntoView(reveal))
	if evaluate[bool](p, `document.documentElement.scrollWidth > innerWidth`) {
		p.tb.Error("at 360 pixels the page is wider than the window")
	}
	p.keep("case-phone")
	p.do(chromedp.EmulateViewport(1200, 900), chromedp.KeyEvent(kb.Enter)) // the button still has the keyboard
	p.until(fmt.Sprintf(`document.querySelectorAll(%q).length === 0`, pictures))
	p.do(chromedp.Click(reveal))
	p.until(shown)
}

// colours has the page drawn for a light or a dark screen.
func (p *tab) colours(scheme string) {
	p.tb.Helper()
	p.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return chromedp.Void{}, err
	})
}

// doubt holds two of a job's pictures, as moderation does that doubts them, while nothing is served.
func doubt(t *testing.T, file, job string) {
	t.Helper()
	db, err := store.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var c review.Case
	err = db.Reader().QueryRowContext(t.Context(), `SELECT platform, tenant, channel, owner, owner_name FROM jobs WHERE id = $1`, job).
		Scan(&c.Platform, &c.Tenant, &c.Channel, &c.Owner, &c.OwnerName)
	if err != nil {
		t.Fatal(err)
	}
	c.ID, c.Job, c.Subject, c.Prompt, c.Opened = ulid.Make().String(), job, review.Pictures, "a red fox on a blue background", time.Now()
	c.Reasons = []moderation.Reason{{Category: "violence", Rule: "image/own", Score: 0.62}}
	err = db.Write(t.Context(), func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(t.Context(), `UPDATE pictures SET held = blob, blob = '', verdict = 'review' WHERE job = $1 AND idx % 2 = 1`, job); err != nil {
			return err
		}
		_, err := tx.ExecContext(t.Context(), `INSERT INTO outbox (key, job, effect, created, due) VALUES ('show:doubt', $1, 'show', 0, 0)`, job)
		if err != nil {
			return err
		}
		return review.Open(t.Context(), tx, c)
	})
	if err != nil {
		t.Fatal(err)
	}
}
