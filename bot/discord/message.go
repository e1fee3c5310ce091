package discord

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"image/png"
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/gallery"
)

// A message is what a channel shows for a job. discordgo has no type that carries alt texts.
type message struct {
	Content    string   `json:"content"`
	Components []row    `json:"components"`
	Mentions   mentions `json:"allowed_mentions"`
	Flags      int      `json:"flags"`
	Nonce      string   `json:"nonce,omitempty"`
	Enforce    bool     `json:"enforce_nonce,omitempty"`
	enclosure
}

// An enclosure is the files of a message.
type enclosure struct {
	Attachments []attachment `json:"attachments,omitzero"` // none but not nil: those that are there are removed
	files       []*discordgo.File
}

// An attachment describes files[ID] of the same request.
type attachment struct {
	ID          int    `json:"id"`
	Filename    string `json:"filename"`
	Description string `json:"description"`
}

// A row of buttons.
type row struct {
	Type       int         `json:"type"` // 1
	Components []component `json:"components"`
}

type component struct {
	Type     int    `json:"type"`  // 2: a button
	Style    int    `json:"style"` // 2: grey, 3: green, 4: red
	Label    string `json:"label"`
	CustomID string `json:"custom_id"`
}

// What Discord allows.
const (
	maxRows    = 5
	maxInRow   = 5
	maxLabel   = 80
	maxAlt     = 1024
	maxNonce   = 25
	maxFile    = 10 << 20 // bytes, in a server without boosts
	maxPrompt  = 1100     // of ours, escaped: the whole prompt is among the details
	maxOptions = 300
)

// draw draws a job's message without its pictures.
func draw(m bot.Message) message {
	return message{Content: content(m, m.Status), enclosure: enclosure{Attachments: []attachment{}}, Components: rows(m), Mentions: nobody, Flags: noEmbeds}
}

// content is the prompt and who asked, then in small what else there is to say.
func content(m bot.Message, status string) string {
	head := "A prompt by " + person(m.Author.ID, m.Author.Name)
	if prompt := escapeTo(m.Prompt, maxPrompt); prompt != "" {
		head = "**" + prompt + "** by " + person(m.Author.ID, m.Author.Name)
	}
	var small []string
	if m.Origin != nil {
		small = append(small, escapeTo(m.Origin.Text, maxOptions/2))
	}
	for _, s := range []string{m.Options, status} {
		if s = escapeTo(s, maxOptions); s != "" {
			small = append(small, s)
		}
	}
	if len(small) == 0 {
		return head
	}
	return head + "\n-# " + strings.Join(small, " · ")
}

// rows lays the buttons out: those for picking in a row, those for varying in the next, the others after them.
func rows(m bot.Message) []row {
	list := []row{}
	last := ""
	for _, b := range m.Buttons {
		group := b.Action
		if group != "upscale" && (group != "vary" || m.Large) {
			group = "others"
		}
		if len(list) == 0 || group != last || len(list[len(list)-1].Components) == maxInRow {
			if len(list) == maxRows {
				break
			}
			list = append(list, row{Type: 1})
		}
		last = group
		r := &list[len(list)-1]
		r.Components = append(r.Components, drawButton(m.Job, b))
	}
	return list
}

func drawButton(job string, b bot.Button) component {
	c := component{Type: 2, Style: 2, Label: shorten(b.Label, maxLabel), CustomID: button{b.Action, job, b.Index}.String()}
	switch b.Action {
	case "approve":
		c.Style = 3
	case "delete", "reject":
		c.Style = 4
	}
	return c
}

// nonce makes a repeated post known. A ULID is a character longer than Discord allows, but its first one is 0 for the
// next thousand years.
func nonce(key string) string { return key[max(0, len(key)-maxNonce):] }

// attach adds the pictures that can be seen to a message.
func (a *Adapter) attach(ctx context.Context, place bot.Place, m bot.Message, to *message) error {
	scope := gallery.Scope{Tenant: place.Tenant, Channel: place.Channel, Viewer: m.Author.ID}
	for _, p := range m.Pictures {
		if p.Veiled {
			continue
		}
		content, err := a.options.Pictures.File(ctx, scope, p.Job, p.Index)
		if err != nil {
			return fmt.Errorf("reading picture %d of job %s: %w", p.Index, p.Job, err)
		}
		if err := to.add(p, content); err != nil {
			return err
		}
	}
	return nil
}

// add adds a picture.
func (e *enclosure) add(p bot.Picture, content []byte) error {
	content, ending, err := fit(content)
	if err != nil {
		return fmt.Errorf("picture %d of job %s is too large for Discord: %w", p.Index, p.Job, err)
	}
	e.enclose(fmt.Sprintf("easel-%s-%d.%s", p.Job, p.Index+1, ending), "image/"+ending, p.Alt, content)
	return nil
}

// enclose adds a file.
func (e *enclosure) enclose(name, kind, alt string, content []byte) {
	e.Attachments = append(e.Attachments, attachment{len(e.files), name, shorten(alt, maxAlt)})
	e.files = append(e.files, &discordgo.File{Name: name, ContentType: kind, Reader: bytes.NewReader(content)})
}

// fit makes a JPEG of a PNG that is larger than Discord takes.
func fit(content []byte) (fitting []byte, ending string, err error) {
	if len(content) <= maxFile {
		return content, "png", nil
	}
	picture, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, "", err
	}
	var b bytes.Buffer
	err = jpeg.Encode(&b, picture, &jpeg.Options{Quality: 92})
	return b.Bytes(), "jpeg", err
}
