package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/easelbot/easel/moderation/text"
)

func promptJudge(tb testing.TB) *text.Judge {
	tb.Helper()
	judge, err := text.New(text.Words{})
	if err != nil {
		tb.Fatal(err)
	}
	return judge
}

func moderated(tb testing.TB, judge *text.Judge, stdin string) []string {
	tb.Helper()
	var out bytes.Buffer
	if err := moderatePrompts(tb.Context(), strings.NewReader(stdin), &out, judge); err != nil {
		tb.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func TestModerateLines(t *testing.T) {
	judge := promptJudge(t)
	tests := []struct{ name, line, want string }{
		{"allowed", `{"id":"a","text":"a fox"}`, `{"id":"a","verdict":"allow","categories":{},"reasons":[]}`},
		{"blocked", `{"id":7,"text":"a nude"}`, `{"id":7,"verdict":"block","categories":{"sexual":0.9},"reasons":[{"rule":"lexicon/sexual/nudity","category":"sexual","span":"nude","score":0.9}]}`},
		{"long numbers stay", `{"id":12345678901234567890,"text":""}`, `{"id":12345678901234567890,"verdict"`},
		{"no id", `{"text":"a fox"}`, `{"id":null,"verdict":"allow"`},
		{"more keys", `{"id":1,"lang":"en","text":"a fox"}`, `{"id":1,"verdict":"allow"`},
		{"carriage return", "{\"id\":1,\"text\":\"a fox\"}\r", `{"id":1,"verdict":"allow"`},
		{"byte order mark", "\xef\xbb\xbf{\"id\":1,\"text\":\"a fox\"}", `{"id":1,"verdict":"allow"`},
		{"escaped NUL", `{"id":1,"text":"a nu\u0000de"}`, `{"id":1,"verdict":"block"`},
		{"markup stays readable", `{"id":"<&>","text":"a fox"}`, `{"id":"<&>","verdict":"allow"`},
		{"NUL", "{\"id\":1,\"text\":\"a\x00\"}", `{"error":"the line is no JSON: `},
		{"no JSON", `a fox`, `{"error":"the line is no JSON: `},
		{"cut off", `{"id":1,"text":"a`, `{"error":"the line is no JSON: `},
		{"an array", `["a fox"]`, `{"error":"the line is no JSON object`},
		{"no text", `{"id":1}`, `{"id":1,"error":"text is missing"}`},
		{"null", `null`, `{"error":"text is missing"}`},
		{"a number for text", `{"id":1,"text":2}`, `{"id":1,"error":"text must be a string"}`},
		{"an object for id", `{"id":{},"text":"a fox"}`, `{"error":"id must be a string or a number"}`},
		{"invalid UTF-8", "{\"id\":1,\"text\":\"a \xff fox\"}", `{"id":1,"error":"the line is no valid UTF-8"}`},
		{"too long", `{"id":1,"text":"` + strings.Repeat("a ", longestLine) + `"}`, `{"error":"the line is longer than`},
		{"long", `{"id":1,"text":"` + strings.Repeat("a ", 100_000) + `nude"}`, `{"id":1,"verdict":"block"`},
	}
	var all []string
	for _, tt := range tests {
		all = append(all, tt.line)
		if got := moderated(t, judge, tt.line); len(got) != 1 || !strings.HasPrefix(got[0], tt.want) {
			t.Errorf("%s: got %.300q, want %q", tt.name, got, tt.want)
		}
	}
	together := moderated(t, judge, "\n"+strings.Join(all[:2], "\n\n  \r\n")+"\n"+strings.Join(all[7:], "\n"))
	if len(together) != len(tests)-5 {
		t.Errorf("%d lines for %d", len(together), len(tests)-5)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestModerateStopsWhenStdoutFails(t *testing.T) {
	out := &results{to: failingWriter{}}
	endless, stop := io.Pipe()
	defer func() { _ = stop.Close() }()
	go func() {
		for {
			if _, err := stop.Write([]byte("{\"text\":\"a fox\"}\n")); err != nil {
				return
			}
		}
	}()
	if err := moderatePrompts(t.Context(), endless, out, promptJudge(t)); err != nil {
		t.Error(err)
	}
	_ = endless.Close()
	if out.failure() == nil {
		t.Error("nobody will be told that stdout failed")
	}
}

// FuzzModerate holds that each line that is not blank has one answer, which is JSON.
func FuzzModerate(f *testing.F) {
	f.Add("{\"id\":1,\"text\":\"a fox\"}\r\n\n[]\n{\"id\":[1],\"text\":null}\n\xef\xbb\xbf{}")
	judge := promptJudge(f)
	f.Fuzz(func(t *testing.T, stdin string) {
		lines := 0
		for line := range strings.SplitSeq(strings.TrimPrefix(stdin, "\xef\xbb\xbf"), "\n") {
			if len(bytes.TrimSpace([]byte(line))) > 0 {
				lines++
			}
		}
		got := moderated(t, judge, stdin)
		if lines == 0 {
			got = got[1:]
		}
		if len(got) != lines {
			t.Fatalf("%d answers to %d lines: %q", len(got), lines, got)
		}
		for _, line := range got {
			var answer struct{ Verdict, Error string }
			if err := json.Unmarshal([]byte(line), &answer); err != nil || (answer.Verdict == "") == (answer.Error == "") {
				t.Fatalf("%q: %v", line, err)
			}
		}
	})
}
