package bot

import (
	"fmt"
	"time"
)

// LeftText says how long painting will still take, to be put behind other words: ", about 12 s left", and nothing while that is unknown.
func LeftText(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < time.Minute:
		return fmt.Sprintf(", about %d s left", int(d.Round(time.Second).Seconds())+1)
	}
	return fmt.Sprintf(", about %d min left", int((d+time.Minute/2)/time.Minute))
}
