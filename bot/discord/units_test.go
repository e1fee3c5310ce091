package discord

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/easelbot/easel/bot"
)

func TestEscape(t *testing.T) {
	tests := []struct{ text, want string }{
		{"a red fox", "a red fox"},
		{"**bold** _x_ ~~y~~ `z` ||s||", "\\*\\*bold\\*\\* \\_x\\_ \\~\\~y\\~\\~ \\`z\\` \\|\\|s\\|\\|"},
		{"@everyone <@1> <#2> <:a:3>", "\\@everyone \\<\\@1\\> \\<\\#2\\> \\<\\:a\\:3\\>"},
		{"https://x.org", `https\:\/\/x.org`},
		{"one\n# two\r\n> three", `one \# two  \> three`},
		{`a\*b`, `a\\\*b`},
		{"ein Füchslein 狐", "ein Füchslein 狐"},
	}
	for _, tt := range tests {
		if got := escape(tt.text); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}

func FuzzEscapeTo(f *testing.F) {
	for _, s := range []string{"", "a*b", "\\\\\\", "🦊🦊🦊🦊", "\xff\xfe*", "<@1>\n# x"} {
		f.Add(s, 5)
	}
	f.Fuzz(func(t *testing.T, s string, most int) {
		most = 1 + int(uint(most)%100)
		got := escapeTo(s, most)
		if units(got) > most || strings.ContainsAny(got, "\n\r\t") {
			t.Fatalf("%q in %d: %q", s, most, got)
		}
		for i := 0; i < len(got); i++ {
			if got[i] == '\\' && i+1 < len(got) {
				i++
			} else if strings.IndexByte(markup, got[i]) >= 0 {
				t.Fatalf("%q: %q has a bare %c", s, got, got[i])
			}
		}
	})
}

func TestParseButton(t *testing.T) {
	tests := []struct {
		id   string
		want button
		ok   bool
	}{
		{"e1:vary:" + job + ":3", button{"vary", job, 3}, true},
		{"e1:vary:" + job + ":99", button{"vary", job, 99}, true},
		{"e1:vary:" + job + ":100", button{}, false},
		{"e1:vary:" + job + ":03", button{}, false},
		{"e1:vary:" + job + ":-1", button{}, false},
		{"e1:vary:" + job, button{}, false},
		{"e2:vary:" + job + ":0", button{}, false},
		{"e1::" + job + ":0", button{}, false},
		{"e1:vary::0", button{}, false},
		{"e1:vary:../x:0", button{}, false},
		{"", button{}, false},
	}
	for _, tt := range tests {
		got, ok := parseButton(tt.id)
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%q: got %+v, %v", tt.id, got, ok)
		}
	}
}

func FuzzParseButton(f *testing.F) {
	for _, s := range []string{"e1:vary:" + job + ":3", "e1:a:B:+1", "e1:::", ":", "e1:vary:A:256", "e1:vary:A:0:0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if b, ok := parseButton(s); ok && (b.String() != s || b.index < 0 || b.index > 99 || len(s) > 100) {
			t.Errorf("%q reads as %+v", s, b)
		}
	})
}

func TestRows(t *testing.T) {
	list := func(spec string) []bot.Button {
		var out []bot.Button
		for i, name := range strings.Fields(spec) {
			out = append(out, bot.Button{Action: name, Index: i, Label: name})
		}
		return out
	}
	tests := []struct {
		buttons string
		large   bool
		want    string
	}{
		{"", false, ""},
		{"cancel", false, "cancel"},
		{"upscale upscale vary vary reroll details delete", false, "upscale upscale|vary vary|reroll details delete"},
		{"vary reroll details delete", true, "vary reroll details delete"},
		{strings.Repeat("upscale ", 40), false, strings.TrimSuffix(strings.Repeat("upscale upscale upscale upscale upscale|", 5), "|")},
	}
	for _, tt := range tests {
		var got []string
		for _, r := range rows(bot.Message{Job: job, Buttons: list(tt.buttons), Large: tt.large}) {
			var labels []string
			for _, c := range r.Components {
				labels = append(labels, c.Label)
				if b, ok := parseButton(c.CustomID); !ok || b.action != c.Label || (c.Style == 4) != (c.Label == "delete") {
					t.Errorf("button %+v", c)
				}
			}
			got = append(got, strings.Join(labels, " "))
		}
		if s := strings.Join(got, "|"); s != tt.want {
			t.Errorf("%q: got %q, want %q", tt.buttons, s, tt.want)
		}
	}
}

func TestContentFits(t *testing.T) {
	long := strings.Repeat("*🦊", 3000)
	m := bot.Message{Prompt: long, Options: long, Origin: &bot.Origin{Text: long}, Author: bot.Person{Name: long}}
	if got := content(m, long); units(got) > maxContent {
		t.Errorf("%d characters", units(got))
	}
	if got := details([]bot.Detail{{Name: "Prompt", Value: long}, {Name: "Negative", Value: long}, {Name: "Line", Value: long}, {Name: "More", Value: long}}); units(got) > maxContent || !strings.Contains(got, "**Line**") {
		t.Errorf("%d characters: %.80s", units(got), got)
	}
	if got := say(long).Data.Content; units(got) > maxContent {
		t.Errorf("%d characters", units(got))
	}
}

func TestCommandsKeepDiscordsLimits(t *testing.T) {
	hints := []bot.Hint{{Name: "negative", Help: strings.Repeat("é", 300)}, {Name: "count", Hint: "4", Help: "How many"}, {Name: "sampler", Help: "How"}}
	for _, c := range commands(hints, true) {
		if n := len([]rune(c.Description)); n < 1 || n > 100 {
			t.Errorf("/%s: a description of %d", c.Name, n)
		}
		for k, o := range c.Options {
			if n := len([]rune(o.Description)); n < 1 || n > 100 || o.Required != (k == 0) || o.Type == 0 {
				t.Errorf("/%s %+v", c.Name, o)
			}
		}
	}
	c := commands(hints, false)[0]
	if o := c.Options[2]; c.Name != "imagine" || o.Type != whole || *o.Min != 1 || *o.Max != 4 || o.Description != "How many, such as 4" || c.Contexts != nil {
		t.Errorf("got %+v", c)
	}
	if got := commands(hints, true)[0].Options[3].Type; got != text {
		t.Errorf("sampler is of type %d", got)
	}
}

func TestALargePictureBecomesAJPEG(t *testing.T) {
	noise := image.NewNRGBA(image.Rect(0, 0, 2000, 1800))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise.Pix {
		noise.Pix[i] = byte(random.Uint32())
	}
	noise.Set(0, 0, color.White)
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(&b, noise); err != nil {
		t.Fatal(err)
	}
	got, ending, err := fit(b.Bytes())
	if err != nil || ending != "jpeg" || len(got) > maxFile {
		t.Fatalf("got %d bytes of %s, %v", len(got), ending, err)
	}
	if p, err := jpeg.Decode(bytes.NewReader(got)); err != nil || p.Bounds() != noise.Rect {
		t.Errorf("decoded %v, %v", p.Bounds(), err)
	}
}
