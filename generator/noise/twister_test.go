package noise

import "testing"

// The first words for the seed 5489 and the ten-thousandth are those that ISO C++ requires of std::mt19937.
func TestTwisterEqualsMT19937(t *testing.T) {
	var e twister
	e.seed(5489)
	for i, want := range []uint32{3499211612, 581869302, 3890346734, 3586334585, 545404204} {
		if got := e.next(); got != want {
			t.Errorf("word %d is %d, want %d", i, got, want)
		}
	}
	e.seed(5489)
	for range 9999 {
		e.next()
	}
	if got := e.next(); got != 4123659995 {
		t.Errorf("word 10000 is %d, want 4123659995", got)
	}
}
