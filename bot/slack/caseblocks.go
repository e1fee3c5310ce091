package slack

import (
	"cmp"
	"strings"

	api "github.com/slack-go/slack"

	"github.com/easelbot/easel/bot"
)

// Limits of a case's reasons.
const (
	maxReasons = 10
	maxReason  = 200 // characters of each
)

// drawnCase draws a case. Prompts are shown whole, since a moderator answers for all of them.
func drawnCase(m bot.CaseMessage) words {
	title := caseTitle(m)
	body := []api.RichTextElement{headed(title, m), quote(m.Prompt)}
	if m.Negative != "" {
		body = append(body, written("Not in the picture:"), quote(m.Negative))
	}
	w := words{text: escape(cut(title+": "+m.Prompt, maxText)), blocks: []api.Block{api.NewRichTextBlock("", body...)}}
	if list := reasons(m.Reasons); list != nil {
		w.blocks = append(w.blocks, api.NewRichTextBlock("", written("Why it waits:"), list))
	}
	status := []api.MixedElement{plain(cut(m.Status+" · case "+m.Case, maxContext))}
	if inChannel(m) {
		where := api.NewTextBlockObject(api.MarkdownType, "in <#"+m.Channel+">", false, false)
		status = append([]api.MixedElement{where}, status...)
	}
	w.blocks = append(w.blocks, api.NewContextBlock("", status...))
	for _, row := range rows(m.Buttons) {
		w.blocks = append(w.blocks, actions(m.Case, row))
	}
	return w
}

// caseTitle is such as "Held for a moderator: 2 of 4 pictures".
func caseTitle(m bot.CaseMessage) string {
	title := cut(m.Title, maxReason)
	if m.Decided || title == "" {
		return title
	}
	return "Held for a moderator: " + strings.ToLower(title[:1]) + title[1:]
}

// headed says who asked, by their name so that nobody is called.
func headed(title string, m bot.CaseMessage) *api.RichTextSection {
	by := "\nasked for by " + cut(m.Author.Name, maxReason)
	if !inChannel(m) {
		by += " in direct messages"
	}
	return api.NewRichTextSection(
		api.NewRichTextSectionTextElement(title, &api.RichTextSectionTextStyle{Bold: true}), api.NewRichTextSectionTextElement(by, nil))
}

// inChannel tells whether a case came up where others see it. That channel may be private: then its name is shown to nobody
// who is not in it.
func inChannel(m bot.CaseMessage) bool {
	return channelForm.MatchString(m.Channel) && m.Channel[0] != 'D'
}

func written(s string) *api.RichTextSection {
	return api.NewRichTextSection(api.NewRichTextSectionTextElement(s, nil))
}

// quote shows somebody's words, all of them.
func quote(s string) *api.RichTextQuote {
	if s == "" {
		s = "(no prompt)"
	}
	q := &api.RichTextQuote{Type: api.RTEQuote}
	for _, part := range parts(s, maxText) {
		q.Elements = append(q.Elements, api.NewRichTextSectionTextElement(part, nil))
	}
	return q
}

// reasons lists the first of the reasons, nil if there are none.
func reasons(list []string) *api.RichTextList {
	var lines []api.RichTextElement
	for _, r := range list[:min(len(list), maxReasons)] {
		if r != "" {
			lines = append(lines, written(cut(r, maxReason)))
		}
	}
	if lines == nil {
		return nil
	}
	return api.NewRichTextList(api.RTEListBullet, 0, lines...)
}

// drawnExhibit draws the direct message that shows a moderator what a case holds. The heading is the case's own message in
// short. The files are Slack's IDs, by index.
func drawnExhibit(id, heading string, held []bot.Picture, files map[int]string) words {
	if heading == "" {
		heading = "Held for a moderator"
	}
	heading = cut(heading, maxReason)
	w := words{text: escape(heading), blocks: []api.Block{api.NewSectionBlock(plain(heading), nil, nil)}}
	for _, p := range held {
		if file := files[p.Index]; file != "" {
			w.blocks = append(w.blocks, api.NewImageBlockSlackFile(&api.SlackFileObject{ID: file}, cmp.Or(cut(p.Alt, maxAlt), "Held picture"), "", nil))
		}
	}
	note := "For you alone. Decide in the review channel; case " + id
	w.blocks = append(w.blocks, api.NewContextBlock("", plain(note)))
	return w
}
