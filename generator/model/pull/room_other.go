//go:build !linux && !darwin

package pull

// freeBytes would return the bytes that may be written; here that is not known.
func freeBytes(string) (int64, bool) { return 0, false }
