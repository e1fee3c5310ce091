package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestStoryOfModels: people choose between models of which one has room at a time, and variations stay with the model of their parent.
func TestStoryOfModels(t *testing.T) {
	families, err := filepath.Abs("../../testdata/families")
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("models: [%s/sd15, %[1]s/lcm]\nengine: {weights: 1MiB}\n", families)
	for _, s := range stages {
		t.Run(s.name, func(t *testing.T) {
			p := newPlay(t, config, s.open(t))
			p.imagine(t, ada, "a red fox", map[string]string{"model": "sd15", "steps": "3", "size": "64x64"})
			p.imagine(t, bob, "a blue cat", map[string]string{"count": "1", "steps": "3"})
			p.imagine(t, bob, "a dog", map[string]string{"model": "lcm", "count": "1"})
			fox := p.sized("a red fox", 4, 64)
			if !strings.Contains(fox.text, "sd15") {
				t.Errorf("the message does not tell the model: %s", fox.text)
			}
			p.sized("a blue cat", 1, 128)
			p.sized("a dog", 1, 64)
			p.press(t, ada, fox, "V2")
			p.sized("Variations of picture 2", 4, 64)
			p.imagine(t, bob, "a fish", map[string]string{"model": "sd3"})
			p.told(bob, `there is no model "sd3" here; choose one of builtin, sd15, lcm`)
			p.s.end(t, syscall.SIGTERM)
		})
	}
}
