package models_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/models"
)

// TestBuiltInOpens reads the folder from disk, so that it runs without the embedded copy too.
func TestBuiltInOpens(t *testing.T) {
	folder, err := model.OpenDir(models.Name)
	if err != nil {
		t.Fatal(err)
	}
	if folder.About.Description == "" || len(folder.About.Words) == 0 || len(folder.About.Styles) == 0 {
		t.Error("easel.json does not tell people what the model paints")
	}
	for _, finding := range model.CheckDir(models.Name) {
		t.Errorf("finding: %v", finding)
	}
}

// TestBudget keeps the weights within what the repository gives them, for good.
func TestBudget(t *testing.T) {
	const megabyte = 1e6
	budget := map[string]float64{"text_encoder": 23, "unet": 34, "vae_encoder": 5, models.PictureFilterName: 7, "": 80}
	used := map[string]float64{}
	for _, path := range weights(t) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		folder, part, _ := strings.Cut(filepath.ToSlash(path), "/")
		part, _, _ = strings.Cut(part, "/")
		switch {
		case folder != models.Name:
			part = folder
		case part == "vae_decoder": // one budget for both ways
			part = "vae_encoder"
		}
		used[part] += float64(info.Size()) / megabyte
		used[""] += float64(info.Size()) / megabyte
	}
	for part, most := range budget {
		if used[part] > most {
			t.Errorf("%q takes %.2f MB of %v", part, used[part], most)
		}
	}
}

// TestSums holds every file to the sum written down when it was made: weights change only on purpose.
func TestSums(t *testing.T) {
	f, err := os.Open("SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		sum, file, _ := strings.Cut(lines.Text(), "  ")
		want[file] = sum
	}
	for _, path := range weights(t) {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		name := filepath.ToSlash(path)
		if got := hex.EncodeToString(sum[:]); got != want[name] {
			t.Errorf("%s has sum %s, SHA256SUMS says %q", name, got, want[name])
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("%s is in SHA256SUMS and not there", name)
	}
}

// weights lists the files that the program carries.
func weights(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, folder := range []string{models.Name, models.PictureFilterName} {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				list = append(list, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}
