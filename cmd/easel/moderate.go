package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/jobs"
	"github.com/easelbot/easel/moderation"
	"github.com/easelbot/easel/moderation/text"
)

func moderateCommand() *cobra.Command {
	var s settings
	var images bool
	cmd := &cobra.Command{
		Use:                   "moderate [--image FILE...] [options]",
		Short:                 "Judge prompts or pictures without painting anything",
		Long:                  "Read prompts as JSON lines {\"id\",\"text\"} from stdin and print a verdict for each, in the same order;\nwith --image, judge picture files.",
		DisableFlagsInUseLine: true,
		Example:               "  echo '{\"id\":1,\"text\":\"a red fox\"}' | easel moderate",
		Args: func(cmd *cobra.Command, args []string) error {
			if images && len(args) == 0 {
				return usagef("--image: name the picture files, such as easel moderate --image fox.png")
			}
			if images {
				return nil
			}
			return noArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, files []string) error {
			c, err := s.load()
			if err != nil {
				return err
			}
			if images {
				return moderateImages(cmd, c, files)
			}
			judge, err := openJudge(c)
			if err != nil {
				return err
			}
			return moderatePrompts(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), judge)
		},
	}
	cmd.Flags().BoolVar(&images, "image", false, "judge the pictures in the files that are named")
	s.configFlag(cmd)
	nameValues(cmd)
	return cmd
}

// openJudge makes the judge of prompts that the configuration asks for.
func openJudge(c configs.Config) (*text.Judge, error) {
	judge, err := text.New(text.Words{Allow: c.Moderation.Allow, Review: c.Moderation.Review, Block: c.Moderation.Block})
	if err != nil {
		return nil, &usageError{err}
	}
	return judge, nil
}

// The JSON lines that moderate reads and prints.
type (
	promptLine struct {
		ID   json.RawMessage `json:"id"`
		Text *string         `json:"text"`
	}
	verdictLine struct {
		ID         json.RawMessage                 `json:"id"`
		Verdict    string                          `json:"verdict"`
		Categories map[moderation.Category]float64 `json:"categories"`
		Reasons    []moderation.Reason             `json:"reasons"`
	}
	errorLine struct {
		ID    json.RawMessage `json:"id,omitempty"`
		Error string          `json:"error"`
	}
)

// moderatePrompts judges line after line until stdin ends, stdout fails or the user interrupts.
func moderatePrompts(ctx context.Context, stdin io.Reader, stdout io.Writer, judge *text.Judge) error {
	lines, failed := make(chan []byte), make(chan error, 1)
	go func() { // not waited for: nothing can interrupt a read from stdin
		failed <- readLines(ctx, stdin, lines)
		close(lines)
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case line, ok := <-lines:
			if !ok {
				return <-failed
			}
			if err := printJSON(stdout, judgeLine(line, judge)); err != nil {
				return err
			}
			if broken(stdout) {
				return nil // run says so
			}
		}
	}
}

// broken reports whether writing has failed, so that an endless stdin is not judged for nobody.
func broken(stdout io.Writer) bool {
	r, ok := stdout.(*results)
	return ok && r.err != nil
}

// longestLine is how many bytes of a line are read; what is longer is no prompt.
const longestLine = 1 << 20

// readLines sends each line that is not blank; one that is too long comes as its first longestLine+1 bytes.
func readLines(ctx context.Context, in io.Reader, lines chan<- []byte) error {
	r := bufio.NewReader(in)
	for first := true; ; first = false {
		line, err := readLine(r)
		if first {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			select {
			case lines <- line:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("stdin: %w", reason(err))
		}
	}
}

func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part[:min(len(part), longestLine+1-len(line))]...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// judgeLine is what is printed for a line: a verdictLine or an errorLine.
func judgeLine(line []byte, judge *text.Judge) any {
	p, err := parsePrompt(line)
	if err != nil {
		return errorLine{p.ID, err.Error()}
	}
	return verdict(p.ID, judge.Screen(*p.Text, ""))
}

// verdict is the line about one prompt or picture.
func verdict(id json.RawMessage, v moderation.Verdict) verdictLine {
	line := verdictLine{id, v.Action.String(), v.Scores, v.Reasons}
	if line.ID == nil {
		line.ID = json.RawMessage("null")
	}
	if line.Categories == nil {
		line.Categories = map[moderation.Category]float64{}
	}
	if line.Reasons == nil {
		line.Reasons = []moderation.Reason{}
	}
	return line
}

// parsePrompt reads {"id","text"}. Of a bad line it returns the id, as far as there is one.
func parsePrompt(line []byte) (p promptLine, err error) {
	if len(line) > longestLine {
		return p, fmt.Errorf("the line is longer than %d bytes", longestLine)
	}
	valid := utf8.Valid(line)
	if !valid {
		line = bytes.ToValidUTF8(line, []byte("\ufffd"))
	}
	err = json.Unmarshal(line, &p)
	if id := string(p.ID); strings.HasPrefix(id, "{") || strings.HasPrefix(id, "[") {
		p.ID, err = nil, cmp.Or(err, errors.New("id must be a string or a number"))
	}
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field == "text":
		err = errors.New("text must be a string")
	case errors.As(err, &wrong):
		err = errors.New(`the line is no JSON object; write {"id":…,"text":"…"}`)
	case err != nil && !json.Valid(line):
		err = fmt.Errorf("the line is no JSON: %w", err)
	case err != nil:
	case !valid:
		err = errors.New("the line is no valid UTF-8")
	case p.Text == nil:
		err = errors.New("text is missing")
	}
	return p, err
}

// A refusedError is a prompt that moderation holds or blocks. Without a queue for moderators, both are a refusal.
type refusedError struct{ verdict moderation.Verdict }

func (e *refusedError) Error() string {
	why := e.verdict.Polite("prompt")
	for _, r := range e.verdict.Reasons {
		why += fmt.Sprintf("\n  %s: rule %s", r.Category, r.Rule)
	}
	return why
}

// screen refuses a prompt that moderation does not allow.
func screen(c configs.Config, r imagine.Request) error {
	judge, err := openJudge(c)
	if err != nil {
		return err
	}
	v, err := jobs.Screen(judge, r)
	if err == nil && v.Action != moderation.Allow {
		err = &refusedError{v}
	}
	return err
}
