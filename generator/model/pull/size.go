package pull

import "strconv"

// SizeText writes bytes for people: "4.27 GB".
func SizeText(n int64) string {
	f, unit := float64(n), "bytes"
	for _, larger := range []string{"kB", "MB", "GB"} {
		if f < 1000 {
			break
		}
		f, unit = f/1000, larger
	}
	return strconv.FormatFloat(f, 'f', digits(f, unit), 64) + " " + unit
}

func digits(f float64, unit string) int {
	if unit == "bytes" || f >= 100 {
		return 0
	}
	return 1
}
