package sampler

import "slices"

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

// pndmPlan plans the calls from the begin-th on. ratio is how far the multistep way goes in a call, which is not always to the
// next of the list. There are two ways to come by the first outputs: Runge-Kutta over three steps, or (skip_prk_steps, and
// of fewer than four steps) one step that is done again with the mean of its two ends. A picture that is taken up half-way leaves out
// calls at the front of the list, and what is left does what the first calls do, at timesteps for which that was not meant: so diffusers
// has it.
func (s *settings) pndmPlan(steps []float64, ratio, begin int) []pndmMove {
	t := make([]int, len(steps))
	for i, v := range steps {
		t[i] = int(v)
	}
	if s.SkipPRKSteps || len(t) < 4 {
		return plmsPlan(t, ratio, begin)
	}
	return prkPlan(t, ratio, begin)
}

// plmsPlan repeats the second timestep.
func plmsPlan(t []int, ratio, begin int) []pndmMove {
	told := t
	if len(t) > 1 {
		told = slices.Insert(slices.Clone(t), 1, t[1])
	}
	var plan []pndmMove
	for c, t := range told[begin:] {
		switch c {
		case 0:
			plan = append(plan, pndmMove{told: t, from: t, to: t - ratio, keep: true, weight: 1})
		case 1:
			plan = append(plan, pndmMove{told: t, from: t + ratio, to: t, back: true, weight: 0.5, earlier: []pndmPart{{0, 0.5}}, slot: 1})
		default:
			plan = append(plan, adams(t, ratio, c-1))
		}
	}
	return plan
}

const (
	prkCalls = 4 // of the Runge-Kutta way for each step
	prkSteps = 3
)

// prkPlan begins with three steps of four calls each: at the step's beginning, twice half a ratio before its end, and at its end.
func prkPlan(t []int, ratio, begin int) []pndmMove {
	half := ratio / 2
	var told []int
	for k := range prkSteps {
		told = append(told, t[k], t[k+1]+half, t[k+1]+half, t[k+1])
	}
	var plan []pndmMove
	for c, now := range append(told, t[prkSteps:]...)[begin:] {
		if c < prkSteps*prkCalls {
			plan = append(plan, rungeKutta(c, now, told[c/prkCalls*prkCalls], half))
		} else {
			plan = append(plan, adams(now, ratio, c-prkSteps*(prkCalls-1)))
		}
	}
	return plan
}

// rungeKutta plans call c of the classic method, at timestep now in the step that begins at from. The first output of a step goes to a
// slot of its own, the others to where the multistep way needs none.
func rungeKutta(c, now, from, half int) pndmMove {
	slot := c / prkCalls
	switch c % prkCalls {
	case 0:
		return pndmMove{told: now, from: from, to: now - half, keep: true, weight: 1, slot: slot}
	case 1:
		return pndmMove{told: now, from: from, to: now, back: true, weight: 1, slot: 4}
	case 2:
		return pndmMove{told: now, from: from, to: now - half, back: true, weight: 1, slot: 5}
	}
	return pndmMove{told: now, from: from, to: now, back: true, weight: 1. / 6, earlier: []pndmPart{{slot, 1. / 6}, {4, 1. / 3}, {5, 1. / 3}}, slot: 3}
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
