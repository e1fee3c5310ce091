package slack

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	api "github.com/slack-go/slack"

	"github.com/easelbot/easel/bot"
)

// Limits of Block Kit and of a message, in characters. See https://docs.slack.dev/reference/block-kit.
const (
	maxText    = 3000 // of a text object, and as much of a prompt as a message shows
	maxContext = 1000
	maxAlt     = 2000
	maxButton  = 75
	maxRow     = 25 // elements of an actions block
	maxNotice  = 2500
)

// words are what is said, both as text (for notifications and screen readers) and as blocks.
type words struct {
	text   string // escaped
	blocks []api.Block
}

// options are the words as a call takes them: nothing in the text is markup, and no address unfolds.
func (w words) options() []api.MsgOption {
	return []api.MsgOption{
		api.MsgOptionText(w.text, false), api.MsgOptionBlocks(w.blocks...), api.MsgOptionParse(false), api.MsgOptionLinkNames(false),
		api.MsgOptionDisableMarkdown(), api.MsgOptionDisableLinkUnfurl(), api.MsgOptionDisableMediaUnfurl(),
	}
}

// sentence is a notice.
func sentence(s string) words {
	s = cmp.Or(cut(s, maxNotice), "Done.")
	return words{text: escape(s), blocks: []api.Block{api.NewSectionBlock(plain(s), nil, nil)}}
}

// detailed is a list of details.
func detailed(list []bot.Detail) words {
	var text strings.Builder
	var lines []api.RichTextSectionElement
	for i, d := range list {
		end := "\n"
		if i == len(list)-1 {
			end = ""
		}
		value := cut(d.Value, maxText/2)
		fmt.Fprintf(&text, "%s: %s%s", d.Name, value, end)
		lines = append(lines,
			api.NewRichTextSectionTextElement(d.Name+": ", &api.RichTextSectionTextStyle{Bold: true}),
			api.NewRichTextSectionTextElement(value+end, nil))
	}
	return words{
		text:   escape(cut(text.String(), maxText)),
		blocks: []api.Block{api.NewRichTextBlock("", api.NewRichTextSection(lines...))},
	}
}

// drawn draws a job's message. The value is what its buttons carry, see [buttonValue]. The files are Slack's IDs of its
// pictures, by index; what has none is not shown.
func drawn(m bot.Message, value string, files map[int]string) words {
	prompt := cmp.Or(cut(m.Prompt, maxText), "A prompt")
	line := caption(m)
	w := words{text: escape(prompt + " – " + line)}
	w.blocks = append(w.blocks, api.NewRichTextBlock("", api.NewRichTextSection(
		api.NewRichTextSectionTextElement(prompt, &api.RichTextSectionTextStyle{Bold: true}))))
	for _, p := range m.Pictures {
		alt := cmp.Or(cut(p.Alt, maxAlt), "AI picture")
		if id := files[p.Index]; p.Veiled {
			w.blocks = append(w.blocks, api.NewContextBlock("", plain(cut(alt, maxContext))))
		} else if id != "" {
			w.blocks = append(w.blocks, api.NewImageBlockSlackFile(&api.SlackFileObject{ID: id}, alt, "", nil))
		}
	}
	w.blocks = append(w.blocks, api.NewContextBlock("", plain(line)))
	for _, row := range rows(m.Buttons) {
		w.blocks = append(w.blocks, actions(value, row))
	}
	return w
}

// caption is the line below the pictures.
func caption(m bot.Message) string {
	var parts []string
	origin := ""
	if m.Origin != nil {
		origin = m.Origin.Text
	}
	for _, s := range []string{m.Status, origin, m.Options, m.Author.Name} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return cut(cmp.Or(strings.Join(parts, " · "), "Easel"), maxContext)
}

// rows lays buttons out: each action that comes several times has a row of its own.
func rows(buttons []bot.Button) [][]bot.Button {
	times := map[string]int{}
	for _, b := range buttons {
		times[b.Action]++
	}
	kind := func(b bot.Button) string {
		if times[b.Action] > 1 {
			return b.Action
		}
		return ""
	}
	var list [][]bot.Button
	for i, b := range buttons {
		if i == 0 || kind(b) != kind(buttons[i-1]) || len(list[len(list)-1]) == maxRow {
			list = append(list, nil)
		}
		list[len(list)-1] = append(list[len(list)-1], b)
	}
	return list
}

// styles are those of the buttons that are not plain.
var styles = map[string]api.Style{"approve": api.StylePrimary, "reject": api.StyleDanger}

func actions(value string, row []bot.Button) api.Block {
	var elements []api.BlockElement
	for _, b := range row {
		e := api.NewButtonBlockElement(actionID(b), value, plain(cmp.Or(cut(b.Label, maxButton), "…")))
		e.AccessibilityLabel = cut(b.Help, maxButton)
		e.Style = styles[b.Action]
		elements = append(elements, e)
	}
	return api.NewActionBlock("", elements...)
}

func plain(s string) *api.TextBlockObject {
	return api.NewTextBlockObject(api.PlainTextType, s, false, false)
}

// actionID names a button: the version of this naming, the action, and the picture. The job is the button's value.
func actionID(b bot.Button) string { return fmt.Sprintf("e1:%s:%d", b.Action, b.Index) }

// buttonValue is a job's ID and, where the message is not in the channel of its job, that channel: "01J…@C123".
func buttonValue(job, home, channel string) string {
	if home == channel {
		return job
	}
	return job + "@" + home
}

var (
	actionForm = regexp.MustCompile(`\Ae1:([a-z_]{1,32}):([0-9]{1,3})\z`)
	valueForm  = regexp.MustCompile(`\A([0-9A-Za-z_-]{1,64})(?:@([0-9A-Z]{1,32}))?\z`)
)

// A press is what a button says.
type press struct {
	action string
	index  int
	job    string
	home   string // the job's channel, where it is not the message's
}

// parsePress reads what [actionID] and [buttonValue] wrote. Buttons outlive programs: what it does not know is not ok.
func parsePress(id, value string) (p press, ok bool) {
	what, which := actionForm.FindStringSubmatch(id), valueForm.FindStringSubmatch(value)
	if what == nil || which == nil {
		return press{}, false
	}
	index, err := strconv.Atoi(what[2])
	return press{action: what[1], index: index, job: which[1], home: which[2]}, err == nil
}
