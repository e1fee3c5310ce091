package pull

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// plain tells whether a path may come out of a git tree at all: relative, without empty parts, "." or "..", without control characters.
func plain(name string) error {
	switch {
	case name == "" || len(name) > 1024:
		return errors.New("a path that is empty or too long")
	case name[0] == '/' || path.Clean(name) != name || name == "." || name == ".." || strings.HasPrefix(name, "../"):
		return fmt.Errorf("the path %q, which leads elsewhere", name)
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("the path %q, with control characters", name)
	}
	return nil
}

// device matches what Windows takes for a device, whatever its extension.
var device = regexp.MustCompile(`(?i)^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$)`)

// portable tells whether each part of a path is an ordinary name on every system: no drive, stream, device or backslash, and nothing of ours.
func portable(name string) error {
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case len(part) > 200 || strings.ContainsAny(part, `\:*?"<>|`) || strings.TrimRight(part, " .") != part || device.MatchString(part):
			return fmt.Errorf("the name %q, which cannot be a file's everywhere", name)
		case strings.HasSuffix(strings.ToLower(part), partSuffix) || strings.EqualFold(part, recordFile):
			return fmt.Errorf("the name %q, which easel keeps for itself", name)
		}
	}
	return nil
}
