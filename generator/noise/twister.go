package noise

// The parameters of MT19937, by the names of the paper.
const (
	size   = 624
	middle = 397
	matrix = 0x9908b0df
	upper  = 1 << 31
)

// twister is the engine MT19937: 32 bits a call, with a period of 2^19937 - 1.
type twister struct {
	state [size]uint32
	at    int // the next word to hand out; size when a new set is due
}

// seed fills the state by the recurrence of the authors' reference code of 2002.
func (t *twister) seed(seed uint32) {
	t.state[0] = seed
	for i := 1; i < size; i++ {
		before := t.state[i-1]
		t.state[i] = 1812433253*(before^before>>30) + uint32(i)
	}
	t.at = size
}

// next returns the next 32 bits.
func (t *twister) next() uint32 {
	if t.at == size {
		t.refill()
	}
	y := t.state[t.at]
	t.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// next53 returns 53 bits: the low ones of two words, the first drawn above the second.
func (t *twister) next53() uint64 {
	high := uint64(t.next())
	return (high<<32 | uint64(t.next())) & (1<<53 - 1)
}

// refill turns the state into the next set of words, in place.
func (t *twister) refill() {
	s := &t.state
	for i := range size - middle {
		s[i] = s[i+middle] ^ twist(s[i], s[i+1])
	}
	for i := size - middle; i < size-1; i++ {
		s[i] = s[i+middle-size] ^ twist(s[i], s[i+1])
	}
	s[size-1] = s[middle-1] ^ twist(s[size-1], s[0])
	t.at = 0
}

// twist joins the top bit of a to the rest of b and multiplies by the matrix.
func twist(a, b uint32) uint32 {
	y := a&upper | b&(upper-1)
	return y>>1 ^ -(y&1)&matrix
}
