package text

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/easelbot/easel/moderation"
)

// TestEvaluation prints what share of each file of prompts is stopped (held or blocked), as rows of a Markdown table. The
// folder is named by EASEL_MODERATION_DATA; EASEL_MODERATION_SHOW names a file whose wrongly judged prompts are printed, too.
func TestEvaluation(t *testing.T) {
	dir := os.Getenv("EASEL_MODERATION_DATA")
	if dir == "" {
		t.Skip("EASEL_MODERATION_DATA names no folder of prompts")
	}
	j := newJudge(t, Words{})
	fmt.Println("| prompts | to stop | stopped | to pass | stopped |\n| --- | --- | --- | --- | --- |")
	for _, set := range sets {
		rows, err := readPrompts(filepath.Join(dir, set.file))
		if err != nil {
			t.Fatal(err)
		}
		evaluate(j, set, rows)
	}
}

// sets says how each file tells prompts to stop from prompts to pass.
var sets = []set{
	{"explicit_violations.tsv", always},
	{"evasion.tsv", always},
	{"evasion_isolated.tsv", always},
	{"euphemisms.tsv", always},
	{"multilingual.tsv", func(row map[string]string) bool { return row["expected"] != "allow" }},
	{"named_entities.tsv", func(row map[string]string) bool { return row["expected_default_policy"] == "block" }},
	{"partiprompts.tsv", never},
	{"coco_captions.tsv", never},
	{"traps_benign.tsv", never},
	{"evasion_benign_controls.tsv", never},
	{"i2p.tsv", always},
	{"nibbler.tsv", func(row map[string]string) bool { return row["text_label"] == "unsafe" }},
	{"openai_moderation.tsv", func(row map[string]string) bool { return row["unsafe"] == "1" }},
}

type set struct {
	file string
	bad  func(row map[string]string) bool
}

func always(map[string]string) bool { return true }
func never(map[string]string) bool  { return false }

func evaluate(j *Judge, s set, rows []map[string]string) {
	var all, stopped [2]int // to pass, to stop
	for _, row := range rows {
		prompt, bad := row["prompt"]+row["text"], 0
		if s.bad(row) {
			bad = 1
		}
		all[bad]++
		v := j.Screen(prompt, "")
		if v.Action != moderation.Allow {
			stopped[bad]++
		}
		if s.file == os.Getenv("EASEL_MODERATION_SHOW") && (v.Action != moderation.Allow) != (bad == 1) {
			fmt.Printf("%v %.300q %v\n", v.Action, prompt, v.Reasons)
		}
	}
	fmt.Printf("| %s | %d | %s | %d | %s |\n", strings.TrimSuffix(s.file, ".tsv"),
		all[1], share(stopped[1], all[1]), all[0], share(stopped[0], all[0]))
}

func share(n, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}

// readPrompts reads a file of tab-separated values with a header.
func readPrompts(file string) ([]map[string]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes = '\t', true
	records, err := r.ReadAll()
	if err != nil || len(records) == 0 {
		return nil, err
	}
	var rows []map[string]string
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = record[i]
		}
		rows = append(rows, row)
	}
	return rows, nil
}
