package inference

import (
	"encoding/binary"
	"math"
)

// toHalf writes numbers as IEEE 754 binary16, little-endian, rounded to nearest, ties to
// even; what is too large becomes infinite.
func toHalf(dst []byte, src []float32) {
	for i, x := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], half(x))
	}
}

// fromHalf reads what toHalf writes; every half is a float32.
func fromHalf(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

func half(x float32) uint16 {
	const (
		infinite  = 0x7f800000
		overflow  = 0x477ff000 // 65520: from here on, nearest is infinity
		normal    = 0x38800000 // 2^-14, the smallest number with all its bits
		halfInf   = 0x7c00
		halfNaN   = 0x7e00
		biasShift = (127 - 15) << 23
	)
	bits := math.Float32bits(x)
	sign := uint16(bits >> 16 & 0x8000)
	switch bits &= 0x7fffffff; {
	case bits > infinite:
		return sign | halfNaN
	case bits >= overflow:
		return sign | halfInf
	case bits < normal:
		// Scaled so that one unit is the smallest half, 2^-24; exact but for the rounding.
		units := math.RoundToEven(float64(math.Float32frombits(bits)) * (1 << 24))
		return sign | uint16(units)
	}
	odd := bits >> 13 & 1 // rounding to even: a carry into the exponent is as it should be
	return sign | uint16((bits-biasShift+0xfff+odd)>>13)
}

func float(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent, fraction := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0:
		tiny := float32(fraction) / (1 << 24)
		return math.Float32frombits(math.Float32bits(tiny) | sign)
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
