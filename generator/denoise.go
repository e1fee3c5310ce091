package generator

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/inference"
	"github.com/easelbot/easel/inference/graph"
)

// A denoiser is the U-Net with room for its calls. It belongs to the loop.
type denoiser struct {
	folder  *model.Folder
	session *inference.Session
	scalar  bool // the graph takes one timestep for all lanes

	sample, timestep, states, out []float32
	pooled, ids, cond             []float32 // of models that take them
	guided                        [][]float32
}

func openDenoiser(f *model.Folder, o Options) (*denoiser, error) {
	g, err := f.Graph(model.UNet)
	if err != nil {
		return nil, err
	}
	session, err := inference.Open(inference.Graph(g), inference.Options{
		Threads: o.Threads, Device: o.Device, Outputs: []string{"out_sample"}, PerRow: "timestep",
	})
	if err != nil {
		return nil, err
	}
	perRow := slices.ContainsFunc(session.Inputs(), func(v graph.Value) bool { return v.Name == "timestep" && v.Fits([]int64{2}) })
	return &denoiser{folder: f, session: session, scalar: !perRow}, nil
}

func open(f *model.Folder, component string, o Options, output string) (*inference.Session, error) {
	g, err := f.Graph(component)
	if err != nil {
		return nil, err
	}
	return inference.Open(inference.Graph(g), inference.Options{Threads: o.Threads, Device: o.Device, Outputs: []string{output}})
}

// text is what the row's picture is to show.
func (r *row) text() conditioning { return r.job.texts[r.index] }

func (r *row) timestep() float32 { return float32(r.sampler.Timesteps()[r.call]) }

// call runs the U-Net for the next call of each row and returns what it says of each after guidance, valid until the
// next call. All rows fit together.
func (d *denoiser) call(ctx context.Context, batch []*row) ([][]float32, error) {
	lanes := d.prepare(batch)
	if err := d.run(ctx, batch[0], lanes); err != nil {
		return nil, fmt.Errorf("the denoiser failed: %w", err)
	}
	return d.guide(batch), nil
}

// prepare makes room for a call and writes its input; it returns the call's lanes.
func (d *denoiser) prepare(batch []*row) (lanes int) {
	for _, r := range batch {
		lanes += r.job.lanes()
	}
	lanes = max(lanes, 2) // see Determinism in the package's documentation
	n, s, f := len(batch[0].x), len(batch[0].text().positive.states), d.folder.Denoiser
	d.sample, d.out = room(d.sample, lanes*(n+len(batch[0].extra))), room(d.out, lanes*n)
	d.states, d.timestep = room(d.states, lanes*s), room(d.timestep, lanes)
	d.pooled, d.ids, d.cond = room(d.pooled, lanes*f.Pooled), room(d.ids, lanes*f.TimeIDs), room(d.cond, lanes*f.TimeCond)
	d.fill(batch, lanes)
	return lanes
}

// room returns a slice of n values, the old one if that is large enough.
func room(old []float32, n int) []float32 {
	return slices.Grow(old[:0], n)[:n]
}

// fill writes the call's input: for each row the negative lane, if it has one, then the positive.
func (d *denoiser) fill(batch []*row, lanes int) {
	lane := 0
	for _, r := range batch {
		if r.job.guided {
			d.put(lane, r, r.text().negative, true)
			lane++
		}
		d.put(lane, r, r.text().positive, false)
		lane++
	}
	for ; lane < lanes; lane++ {
		d.put(lane, batch[0], batch[0].text().positive, false)
	}
}

// put writes one lane of the input.
func (d *denoiser) put(lane int, r *row, w words, negative bool) {
	sample := laneOf(d.sample, lane, len(r.x)+len(r.extra))
	r.sampler.Input(sample[:len(r.x)], r.x, r.call)
	copy(sample[len(r.x):], r.extra)
	copy(laneOf(d.states, lane, len(w.states)), w.states)
	d.timestep[lane] = r.timestep()
	f := d.folder.Denoiser
	copy(laneOf(d.pooled, lane, f.Pooled), w.pooled)
	timeIDs(laneOf(d.ids, lane, f.TimeIDs), r.job.request, negative)
	guidanceEmbedding(laneOf(d.cond, lane, f.TimeCond), r.job.request.Guidance)
}

// laneOf returns the n values of a lane.
func laneOf(all []float32, lane, n int) []float32 { return all[lane*n : (lane+1)*n] }

func (d *denoiser) run(ctx context.Context, first *row, lanes int) error {
	l, h, w := int64(lanes), int64(first.place.height), int64(first.place.width)
	channels := func(values []float32) int64 { return int64(len(values)) / (l * h * w) }
	timestep := inference.Float32(d.timestep, l)
	if d.scalar {
		timestep = d.oneTimestep()
	}
	tokens := first.text().tokens
	in := map[string]inference.Tensor{
		"sample":                inference.Float32(d.sample, l, channels(d.sample), h, w),
		"timestep":              timestep,
		"encoder_hidden_states": inference.Float32(d.states, l, tokens, int64(len(d.states))/(l*tokens)),
	}
	for _, more := range []struct {
		name   string
		values []float32
	}{{"text_embeds", d.pooled}, {"time_ids", d.ids}, {"timestep_cond", d.cond}} {
		if len(more.values) > 0 {
			in[more.name] = inference.Float32(more.values, l, int64(len(more.values))/l)
		}
	}
	return d.session.Run(ctx, in, map[string]inference.Tensor{"out_sample": inference.Float32(d.out, l, channels(d.out), h, w)})
}

// oneTimestep is for graphs that take a single number, or a list of exactly one.
func (d *denoiser) oneTimestep() inference.Tensor {
	for _, v := range d.session.Inputs() {
		if v.Name == "timestep" && v.Fits([]int64{1}) {
			return inference.Float32(d.timestep[:1], 1)
		}
	}
	return inference.Float32(d.timestep[:1])
}

// guide applies classifier-free guidance (Ho, Salimans 2022): negative + scale * (positive - negative).
func (d *denoiser) guide(batch []*row) [][]float32 {
	d.guided = d.guided[:0]
	n := len(batch[0].x)
	lane := 0
	for _, r := range batch {
		out := laneOf(d.out, lane, n)
		if r.job.guided {
			scale, positive := float32(r.job.request.Guidance), laneOf(d.out, lane+1, n)
			for i, negative := range out {
				out[i] = negative + scale*(positive[i]-negative)
			}
			rescale(out, positive, r.job.request.Rescale)
		}
		lane += r.job.lanes()
		d.guided = append(d.guided, out)
	}
	return d.guided
}

// rescale brings the spread of a guided output back to that of the positive lane, by so large a share (Lin, Liu, Li, Yang 2023,
// section 3.4).
func rescale(out, positive []float32, share float64) {
	if share == 0 {
		return
	}
	spread := deviation(out)
	if spread == 0 {
		return
	}
	factor := float32(share*deviation(positive)/spread + 1 - share)
	for i := range out {
		out[i] *= factor
	}
}

// deviation returns the standard deviation, as of a sample.
func deviation(values []float32) float64 {
	var mean, squares float64 // Welford's way, which does not cancel
	for i, v := range values {
		d := float64(v) - mean
		mean += d / float64(i+1)
		squares += d * (float64(v) - mean)
	}
	return math.Sqrt(squares / float64(max(len(values)-1, 1)))
}
