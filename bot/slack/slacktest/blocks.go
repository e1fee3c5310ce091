package slacktest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// A block is a block of a message, or an element in one.
type block struct {
	Type     string                                      `json:"type"`
	ID       string                                      `json:"block_id"`
	Text     words                                       `json:"text"`
	Fields   []words                                     `json:"fields"`
	Elements []block                                     `json:"elements"`
	Title    words                                       `json:"title"`
	Alt      string                                      `json:"alt_text"`
	URL      string                                      `json:"image_url"`
	File     *struct{ ID string }                        `json:"slack_file"`
	ActionID string                                      `json:"action_id"`
	Value    string                                      `json:"value"`
	Style    any                                         `json:"style"` // a word, or of rich text an object
	Help     string                                      `json:"accessibility_label"`
	Confirm  *struct{ Title, Text, Confirm, Deny words } `json:"confirm"`
}

// words are a text object, or a bare text of rich text.
type words struct{ Type, Text string }

// UnmarshalJSON reads either.
func (w *words) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte(`"`)) {
		return json.Unmarshal(b, &w.Text)
	}
	type object words
	return json.Unmarshal(b, (*object)(w))
}

// parse reads a message's text and blocks, and refuses what Slack would. What has a wrong form fails the test, too.
func (s *Server) parse(text, blocks string) (raw json.RawMessage, list []block, problem string) {
	switch {
	case text == "" && blocks == "":
		return nil, nil, "no_text"
	case len(text) > 40_000:
		return nil, nil, "msg_too_long"
	case blocks == "":
		return nil, nil, ""
	}
	raw, err := s.withIDs(blocks)
	if err == nil {
		err = json.Unmarshal(raw, &list)
	}
	if err != nil {
		s.tb.Errorf("Slack would not read these blocks: %v\n%s", err, blocks)
		return nil, nil, "invalid_blocks_format"
	}
	if err := check(list); err != nil {
		s.tb.Errorf("Slack would refuse these blocks: %v\n%s", err, blocks)
		return nil, nil, "invalid_blocks"
	}
	if !s.ready(list) {
		return nil, nil, "invalid_blocks"
	}
	return raw, list, ""
}

// withIDs gives each block an ID that has none.
func (s *Server) withIDs(blocks string) (json.RawMessage, error) {
	var list []map[string]any
	if err := json.Unmarshal([]byte(blocks), &list); err != nil {
		return nil, err
	}
	for _, b := range list {
		if id, _ := b["block_id"].(string); id == "" {
			b["block_id"] = s.number("b")
		}
	}
	return json.Marshal(list)
}

// check holds a message's blocks to Block Kit's limits.
func check(list []block) error {
	if len(list) > 50 {
		return fmt.Errorf("there are %d", len(list))
	}
	ids := map[string]bool{}
	for i, b := range list {
		rule := rules[b.Type]
		if rule == nil {
			return fmt.Errorf("block %d is a %q, which this server does not know", i, b.Type)
		}
		if ids[b.ID] || !within(b.ID, 255) {
			return fmt.Errorf("block %d has the ID %q", i, b.ID)
		}
		ids[b.ID] = true
		if err := rule(b); err != nil {
			return fmt.Errorf("block %d (%s): %w", i, b.Type, err)
		}
	}
	return nil
}

// rules are what each kind of block must keep to.
var rules = map[string]func(block) error{
	"divider":   func(block) error { return nil },
	"header":    func(b block) error { return must(b.Text.plain(150), "its text") },
	"section":   checkSection,
	"image":     checkImage,
	"context":   checkContext,
	"rich_text": checkRichText,
	"actions":   checkActions,
}

func checkSection(b block) error {
	fields := len(b.Fields) <= 10 && !slices.ContainsFunc(b.Fields, func(f words) bool { return !f.fits(2000) })
	return errors.Join(must(fields, "its fields"), must(b.Text.fits(3000) || b.Text == words{} && len(b.Fields) > 0, "its text"))
}

func checkImage(b block) error {
	return errors.Join(
		must(within(b.Alt, 2000), "its alternative text"), must(b.Title == words{} || b.Title.plain(2000), "its title"),
		must((b.fileID() == "") != (b.URL == "") && len(b.URL) <= 3000, "its picture"))
}

func checkContext(b block) error {
	ok := !slices.ContainsFunc(b.Elements, func(e block) bool { return !words{e.Type, e.Text.Text}.fits(3000) })
	return must(ok && len(b.Elements) >= 1 && len(b.Elements) <= 10, "its elements")
}

func checkRichText(b block) error {
	for _, e := range b.Elements {
		if !strings.HasPrefix(e.Type, "rich_text_") || slices.ContainsFunc(e.Elements, func(part block) bool { return part.Type == "text" && part.Text.Text == "" }) {
			return fmt.Errorf("its %q", e.Type)
		}
	}
	return must(len(b.Elements) > 0, "its elements")
}

func checkActions(b block) error {
	ids := map[string]bool{}
	for _, e := range b.Elements {
		err := errors.Join(
			must(e.Type == "button", "no button, which is all that this server knows"), must(within(e.ActionID, 255) && !ids[e.ActionID], "its action ID"),
			must(e.Text.plain(75), "its text"), must(count(e.Value) <= 2000, "its value"), must(count(e.Help) <= 75, "its help"),
			must(e.Style == nil || e.Style == "primary" || e.Style == "danger", "its style"), e.checkConfirm())
		if err != nil {
			return fmt.Errorf("button %q: %w", e.Text.Text, err)
		}
		ids[e.ActionID] = true
	}
	return must(len(b.Elements) >= 1 && len(b.Elements) <= 25, "its elements")
}

func (b block) checkConfirm() error {
	c := b.Confirm
	return must(c == nil || c.Title.plain(100) && c.Text.fits(300) && c.Confirm.plain(30) && c.Deny.plain(30), "its question")
}

func must(ok bool, what string) error {
	if ok {
		return nil
	}
	return errors.New(what)
}

// fits tells whether words are a text object of 1 to so many characters.
func (w words) fits(limit int) bool {
	return (w.Type == "plain_text" || w.Type == "mrkdwn") && within(w.Text, limit)
}

func (w words) plain(limit int) bool { return w.Type == "plain_text" && w.fits(limit) }

func within(s string, limit int) bool { return s != "" && count(s) <= limit }

// count counts characters in the strictest of the ways that Slack may: as UTF-16 does.
func count(s string) int { return len(utf16.Encode([]rune(s))) }

// fileID is the file that an image block shows, or "".
func (b block) fileID() string {
	if b.Type != "image" || b.File == nil {
		return ""
	}
	return b.File.ID
}

// between is what stands between the elements of a block.
var between = map[string]string{"rich_text": "\n", "rich_text_list": "\n", "context": " "}

// say is what is written in a block.
func (b block) say() string {
	switch b.Type {
	case "actions":
		return ""
	case "image":
		return b.Title.Text
	}
	var lines []string
	if b.Text.Text != "" {
		lines = append(lines, b.Text.Text)
	}
	for _, f := range b.Fields {
		lines = append(lines, f.Text)
	}
	var parts []string
	for _, e := range b.Elements {
		parts = append(parts, e.say())
	}
	if len(parts) > 0 {
		lines = append(lines, strings.Join(parts, between[b.Type]))
	}
	return strings.Join(lines, "\n")
}
