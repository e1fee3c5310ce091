package inference

import (
	"fmt"
	"strconv"
	"strings"
)

type kind uint8

const (
	auto kind = iota
	cpu
	cuda
)

// A Device is what a session runs on. The zero value is auto: a GPU if there is one that
// works, else the CPU.
type Device struct {
	kind  kind
	index int // of the GPU
}

// CPU is the device that is always there.
var CPU = Device{kind: cpu}

// ParseDevice reads "auto", "cpu", "cuda" or "cuda:1"; the number counts GPUs from 0.
func ParseDevice(s string) (Device, error) {
	switch s {
	case "auto":
		return Device{}, nil
	case "cpu":
		return CPU, nil
	case "cuda":
		return Device{kind: cuda}, nil
	}
	if number, ok := strings.CutPrefix(s, "cuda:"); ok {
		if n, err := strconv.ParseUint(number, 10, 8); err == nil {
			return Device{cuda, int(n)}, nil
		}
	}
	return Device{}, fmt.Errorf("unknown device %q: use auto, cpu, cuda, or cuda:N for the Nth GPU counted from 0", s)
}

// String returns the device as [ParseDevice] reads it.
func (d Device) String() string {
	switch {
	case d.kind == cpu:
		return "cpu"
	case d.kind == cuda && d.index == 0:
		return "cuda"
	case d.kind == cuda:
		return fmt.Sprintf("cuda:%d", d.index)
	}
	return "auto"
}
