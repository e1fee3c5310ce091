package sampler

// A pndmMove is one call of pndm as it is planned: the timestep that the model is told, the way that the sample then goes,
// and the outputs that say how.
type pndmMove struct {
	told, from, to int
	keep, back     bool    // keep the sample for later; go from the kept sample
	weight         float64 // of this output
	earlier        []pndmPart
	slot           int
}

// A pndmPart is an earlier output, by where it lies, and its weight.
type pndmPart struct {
	slot   int
	weight float64
}

// multistep holds the weights of Adams and Bashforth, orders 1 to 4, newest output first.
var multistep = [][]float64{{1}, {1.5, -0.5}, {23. / 12, -16. / 12, 5. / 12}, {55. / 24, -59. / 24, 37. / 24, -9. / 24}}

// pndmPlan plans the calls for these steps. ratio is how far the multistep way goes in a call, which is not always to the
// next of the list. There are two ways to come by the first outputs: Runge-Kutta over three steps, or (skip_prk_steps, and
// where fewer than four steps are left) one step that is done again with the mean of its two ends.
func (s *settings) pndmPlan(steps []float64, ratio int) []pndmMove {
	t := make([]int, len(steps))
	for i, v := range steps {
		t[i] = int(v)
	}
	var plan []pndmMove
	had := 0 // outputs that count for the multistep way, in slots 0 to 3, round and round
	switch {
	case s.SkipPRKSteps || len(t) < 4:
		plan = append(plan, pndmMove{told: t[0], from: t[0], to: t[0] - ratio, keep: true, weight: 1})
		if len(t) > 1 {
			plan = append(plan, pndmMove{told: t[1], from: t[1] + ratio, to: t[1], back: true, weight: 0.5, earlier: []pndmPart{{0, 0.5}}, slot: 1})
		}
		t, had = t[1:], 1
	default:
		for ; had < 3; had++ {
			plan = append(plan, rungeKutta(t[had], t[had+1], ratio/2, had)...)
		}
		t = t[3:]
	}
	for ; len(t) > 0; t, had = t[1:], had+1 {
		plan = append(plan, adams(t[0], ratio, had))
	}
	return plan
}

// rungeKutta plans the four calls of a step of the classic method: at its beginning, twice half a ratio before its end, and
// at its end. The first output goes to slot, the others to where the multistep way needs none.
func rungeKutta(t, next, half, slot int) []pndmMove {
	middle := next + half
	return []pndmMove{
		{told: t, from: t, to: t - half, keep: true, weight: 1, slot: slot},
		{told: middle, from: t, to: middle, back: true, weight: 1, slot: 4},
		{told: middle, from: t, to: middle - half, back: true, weight: 1, slot: 5},
		{told: next, from: t, to: next, back: true, weight: 1. / 6, earlier: []pndmPart{{slot, 1. / 6}, {4, 1. / 3}, {5, 1. / 3}}, slot: 3},
	}
}

// adams plans one call of the multistep way after had others.
func adams(t, ratio, had int) pndmMove {
	weights := multistep[min(had, 3)]
	m := pndmMove{told: t, from: t, to: t - ratio, weight: weights[0], slot: had % 4}
	for back, w := range weights[1:] {
		m.earlier = append(m.earlier, pndmPart{(had - back - 1) % 4, w})
	}
	return m
}
