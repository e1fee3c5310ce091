package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

type (
	// A discordCall is a request to the REST API, with what a message in it says.
	discordCall struct {
		method, path string
		arrived      time.Time
		body         []byte            // JSON
		files        map[string][]byte // by the name of their field
		Type         int               // of a callback
		discordContent
	}
	// A discordContent is a message that is to be posted.
	discordContent struct {
		Content     string
		Flags       int
		Nonce       string
		Enforce     bool `json:"enforce_nonce"`
		Embeds      []json.RawMessage
		Attachments *[]discordAttachment
		Components  []discordComponent
	}
	// A discordAttachment names a file of the same call by its number, or one that is there by its ID.
	discordAttachment struct {
		ID          json.RawMessage
		Description string
	}
	// A discordFile is a file that was attached.
	discordFile struct {
		id      string
		content []byte
	}
)

func (a discordAttachment) id() string  { return strings.Trim(string(a.ID), `"`) }
func (a discordAttachment) key() string { return "files[" + a.id() + "]" }

func readDiscordCall(r *http.Request) (c discordCall, err error) {
	c = discordCall{method: r.Method, files: map[string][]byte{}}
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case kind == "multipart/form-data" && err == nil:
		err = c.readForm(multipart.NewReader(r.Body, parameters["boundary"]))
	default:
		c.body, err = io.ReadAll(r.Body)
	}
	if err != nil || len(c.body) == 0 || c.body[0] != '{' {
		return c, err
	}
	var callback struct {
		Type int
		Data *discordContent
	}
	if err := errors.Join(json.Unmarshal(c.body, &callback), json.Unmarshal(c.body, &c.discordContent)); err != nil {
		return c, err
	}
	c.Type = callback.Type
	if callback.Data != nil {
		c.discordContent = *callback.Data
	}
	return c, nil
}

func (c *discordCall) readForm(form *multipart.Reader) error {
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return err
		}
		if part.FormName() == "payload_json" {
			c.body = content
		} else {
			c.files[part.FormName()] = content
		}
	}
}

// hide makes a message one that a single person sees.
func (c *discordCall) hide() {
	var fields map[string]json.RawMessage
	if json.Unmarshal(c.body, &fields) == nil {
		fields["flags"] = fmt.Append(nil, c.Flags|discordHidden)
		c.body, _ = json.Marshal(fields) // it was JSON before
	}
}

// check says what Discord would not take.
func (c *discordCall) check() error {
	var wrong []error
	limit := func(what string, got, most int) {
		if got > most {
			wrong = append(wrong, fmt.Errorf("%s is %d, and may be %d", what, got, most))
		}
	}
	limit("the length of the content", utf8.RuneCountInString(c.Content), 2000)
	limit("the length of the nonce", len(c.Nonce), 25)
	limit("the number of embeds", len(c.Embeds), 10)
	limit("the number of files", len(c.files), 10)
	for name, content := range c.files {
		limit("the size of "+name, len(content), 10<<20)
	}
	named := map[string]bool{}
	if c.Attachments != nil {
		limit("the number of attachments", len(*c.Attachments), 10)
		for _, a := range *c.Attachments {
			limit("the length of a description", utf8.RuneCountInString(a.Description), 1024)
			named[a.key()] = true
		}
	}
	for name := range c.files {
		if !named[name] {
			wrong = append(wrong, fmt.Errorf("no attachment describes %s", name))
		}
	}
	return errors.Join(append(wrong, c.checkComponents(limit)...)...)
}

func (c *discordCall) checkComponents(limit func(what string, got, most int)) (wrong []error) {
	limit("the number of rows", len(c.Components), 5)
	seen := map[string]bool{}
	for _, row := range c.Components {
		if row.Type != 1 || len(row.Components) == 0 {
			wrong = append(wrong, fmt.Errorf("a row is of the type %d and has %d components", row.Type, len(row.Components)))
		}
		limit("the number of buttons in a row", len(row.Components), 5)
		for _, b := range row.Components {
			limit("the length of a label", utf8.RuneCountInString(b.Label), 80)
			limit("the length of a custom_id", utf8.RuneCountInString(b.CustomID), 100)
			if b.Label == "" || b.CustomID == "" || seen[b.CustomID] {
				wrong = append(wrong, fmt.Errorf("the button %q has the custom_id %q, which is empty or not its own", b.Label, b.CustomID))
			}
			seen[b.CustomID] = true
		}
	}
	return wrong
}

func TestDiscordCallCheck(t *testing.T) {
	button := `{"type":2,"label":"U1","custom_id":"one"}`
	for _, tt := range []struct {
		body, wrong string
	}{
		{`{"content":"hello","components":[{"type":1,"components":[` + button + `]}]}`, ""},
		{`{"type":4,"data":{"content":"` + strings.Repeat("ü", 2000) + `"}}`, ""},
		{`{"type":4,"data":{"content":"` + strings.Repeat("ü", 2001) + `"}}`, "content is 2001"},
		{`{"components":[{"type":1,"components":[` + button + `,` + button + `]}]}`, "not its own"},
		{`{"components":[{"type":1,"components":[]}]}`, "has 0 components"},
		{`{"nonce":"` + strings.Repeat("1", 26) + `"}`, "nonce is 26"},
	} {
		r, err := http.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		c, err := readDiscordCall(r)
		if err != nil {
			t.Errorf("%s: %v", tt.body, err)
		}
		if err := c.check(); (err == nil) != (tt.wrong == "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%.60s: got %v, want %q", tt.body, err, tt.wrong)
		}
	}
}
