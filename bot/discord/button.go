package discord

import (
	"fmt"
	"strconv"
	"strings"
)

// A button is what a custom_id says: "e1:<action>:<job>:<index>". Buttons outlive the process, so the 1 is the version
// of this form.
type button struct {
	action string // digits and lower-case letters
	job    string // digits and upper-case letters, 26 of them in a ULID
	index  int    // 0 to 99
}

func (b button) String() string { return fmt.Sprintf("e1:%s:%s:%d", b.action, b.job, b.index) }

// parseButton reads a custom_id; anybody can send one.
func parseButton(id string) (button, bool) {
	parts := strings.Split(id, ":")
	if len(parts) != 4 || parts[0] != "e1" || !of(parts[1], 20, 'a', 'z') || !of(parts[2], 40, 'A', 'Z') {
		return button{}, false
	}
	index, err := strconv.ParseUint(parts[3], 10, 8)
	b := button{parts[1], parts[2], int(index)}
	return b, err == nil && index < 100 && b.String() == id
}

// of tells whether a text has 1 to most characters, each a digit or within the range.
func of(s string, most int, low, high byte) bool {
	if s == "" || len(s) > most {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < low || c > high) {
			return false
		}
	}
	return true
}
