package bot

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/generator/prompt/syntax"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/jobs"
)

// render draws a job as it is now. base is what its model proposes: only what differs from it is worth telling.
func render(j jobs.Job, entries []gallery.Entry, base imagine.Request) Message {
	if j.State == jobs.Delivering {
		j.State = jobs.Done // as it is for whoever sees the message
	}
	m := Message{
		Job: j.ID, Author: j.Owner, At: j.Created.UTC(), State: string(j.State),
		Prompt: readable(j.Request.Prompt), Options: readable(optionsOf(j, base)), Origin: originOf(j), Status: statusOf(j, entries), Count: j.Request.Count,
	}
	if j.State == jobs.Held { // nobody has approved these words yet
		m.Prompt, m.Options = "", ""
	}
	for _, e := range entries {
		m.Pictures = append(m.Pictures, picture(e, len(entries)))
	}
	m.Large = len(m.Pictures) == 1
	m.Buttons = buttons(j, m.Pictures)
	return m
}

// readable leaves out the marks that turn the direction of a text around, with which words can be made to look like others.
func readable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s)
}

func picture(e gallery.Entry, of int) Picture {
	seed, _ := e.Request.Seeds(e.Index)
	p := Picture{Job: e.Job, Index: e.Index, Seed: seed, Width: e.Width, Height: e.Height, Veiled: e.Blob == ""}
	which := ""
	if of > 1 {
		which = fmt.Sprintf(" %d of %d", e.Index+1, of)
	}
	p.Alt = "AI picture" + which + ": " + readable(painted(e.Request, e.Index))
	switch {
	case e.Held != "":
		p.Alt = "Picture" + which + " waits for a moderator"
	case p.Veiled:
		p.Alt = "Picture" + which + " was withheld by moderation"
	}
	return p
}

// painted is what picture k was painted from: the prompt, with its wildcards chosen.
func painted(r imagine.Request, k int) string {
	prompt, _, err := syntax.Painted(r, k)
	if err != nil {
		return r.Prompt // which would not have been painted
	}
	return prompt
}

// optionsOf writes a request's options as they would be typed, without the seed.
func optionsOf(j jobs.Job, base imagine.Request) string {
	r := j.Request
	var list []string
	add := func(differs bool, name, value string) {
		if differs {
			list = append(list, "--"+name+" "+value)
		}
	}
	add(r.Negative != "", "negative", quoted(r.Negative))
	add(r.Count != MaxCount && j.Kind != jobs.Pick, "count", strconv.Itoa(r.Count))
	add(r.Width != base.Width || r.Height != base.Height, "size", fmt.Sprintf("%dx%d", r.Width, r.Height))
	add(r.Steps != base.Steps, "steps", strconv.Itoa(r.Steps))
	add(r.Guidance != base.Guidance, "guidance", decimal(r.Guidance))
	add(r.Sampler != base.Sampler, "sampler", r.Sampler)
	add(r.Model != "", "model", quoted(r.Model))
	return strings.Join(list, " ")
}

func quoted(s string) string {
	if strings.ContainsAny(s, " \t\n") {
		return `"` + strings.ReplaceAll(s, `"`, "'") + `"`
	}
	return s
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func originOf(j jobs.Job) *Origin {
	if j.Parent == nil {
		return nil
	}
	o := &Origin{Job: j.Parent.Job, Index: j.Parent.Index}
	switch j.Kind {
	case jobs.Vary:
		o.Text = fmt.Sprintf("Variations of picture %d", o.Index+1)
	case jobs.Reroll:
		o.Text = "Painted anew"
	default:
		o.Text = fmt.Sprintf("Picture %d", o.Index+1)
	}
	return o
}

func statusOf(j jobs.Job, entries []gallery.Entry) string {
	switch j.State {
	case jobs.Held:
		return "A prompt waits for a moderator"
	case jobs.Queued:
		return "Waiting"
	case jobs.Running, jobs.Inspecting:
		return "Painting"
	case jobs.Done:
		return resultOf(j, entries)
	default:
		return j.Reason
	}
}

func resultOf(j jobs.Job, entries []gallery.Entry) string {
	if j.Kind == jobs.Pick {
		return ""
	}
	withheld, held := 0, 0
	for _, e := range entries {
		switch {
		case e.Held != "":
			held++
		case e.Blob == "":
			withheld++
		}
	}
	status := plural(len(entries)-withheld-held, "picture") + " in " + seconds(j.Took)
	if held > 0 {
		status += fmt.Sprintf("; %d waiting for a moderator", held)
	}
	if withheld > 0 {
		status += fmt.Sprintf("; %d withheld by moderation", withheld)
	}
	return status
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// buttons lists what can be done with a job as it is.
func buttons(j jobs.Job, pictures []Picture) []Button {
	switch j.State {
	case jobs.Held, jobs.Queued, jobs.Running, jobs.Inspecting:
		return []Button{{Action: "cancel", Label: "Cancel", Help: "Stop painting", Owner: true}}
	case jobs.Failed, jobs.Cancelled:
		return []Button{
			{Action: "reroll", Label: "Try again", Help: "Paint it again"},
			{Action: "delete", Label: "Delete", Help: "Delete this message", Owner: true},
		}
	case jobs.Refused:
		return nil
	}
	var list []Button
	if len(pictures) > 1 {
		list = append(each(pictures, "upscale", "U%d", "Show picture %d large"), each(pictures, "vary", "V%d", "Paint variations of picture %d")...)
	} else {
		list = each(pictures, "vary", "Vary", "Paint variations of it")
	}
	if j.Kind != jobs.Pick {
		list = append(list, Button{Action: "reroll", Label: "Reroll", Help: "Paint again from other seeds"})
	}
	return append(list,
		Button{Action: "details", Label: "Details", Help: "Seeds and settings"},
		Button{Action: "delete", Label: "Delete", Help: "Delete these pictures", Owner: true})
}

// each makes a button for every picture that can be seen.
func each(pictures []Picture, action, label, help string) []Button {
	var list []Button
	for _, p := range pictures {
		if p.Veiled {
			continue
		}
		b := Button{Action: action, Index: p.Index, Label: label, Help: help}
		if strings.Contains(label, "%d") {
			b.Label, b.Help = fmt.Sprintf(label, p.Index+1), fmt.Sprintf(help, p.Index+1)
		}
		list = append(list, b)
	}
	return list
}
