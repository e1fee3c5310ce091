package generator

import (
	"context"
	"fmt"
	"slices"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/inference"
)

// A denoiser is the U-Net with room for its calls. It belongs to the loop.
type denoiser struct {
	session *inference.Session
	scalar  bool // the graph takes one timestep for all lanes

	sample, timestep, states, out []float32
	guided                        [][]float32
}

func openDenoiser(f *model.Folder, o Options) (*denoiser, error) {
	session, err := open(f, model.UNet, o, "out_sample")
	if err != nil {
		return nil, err
	}
	t, _ := f.Signature(model.UNet).Input("timestep")
	return &denoiser{session: session, scalar: !t.Fits([]int64{2})}, nil
}

func open(f *model.Folder, component string, o Options, output string) (*inference.Session, error) {
	g, err := f.Graph(component)
	if err != nil {
		return nil, err
	}
	return inference.Open(inference.Graph(g), inference.Options{Threads: o.Threads, Device: o.Device, Outputs: []string{output}})
}

// together reports whether two rows fit one call.
func (d *denoiser) together(a, b *row) bool {
	return a.place == b.place && a.text().tokens == b.text().tokens && (!d.scalar || a.timestep() == b.timestep())
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
	n, s := len(batch[0].x), len(batch[0].text().positive)
	d.sample, d.out = room(d.sample, lanes*n), room(d.out, lanes*n)
	d.states, d.timestep = room(d.states, lanes*s), room(d.timestep, lanes)
	d.fill(batch, lanes, n, s)
	return lanes
}

// room returns a slice of n values, the old one if that is large enough.
func room(old []float32, n int) []float32 {
	return slices.Grow(old[:0], n)[:n]
}

// fill writes the call's input: for each row the negative lane, if it has one, then the positive.
func (d *denoiser) fill(batch []*row, lanes, n, s int) {
	lane := 0
	put := func(r *row, states []float32) {
		r.sampler.Input(d.sample[lane*n:(lane+1)*n], r.x, r.call)
		copy(d.states[lane*s:(lane+1)*s], states)
		d.timestep[lane] = r.timestep()
		lane++
	}
	for _, r := range batch {
		if r.job.guided() {
			put(r, r.text().negative)
		}
		put(r, r.text().positive)
	}
	for lane < lanes {
		put(batch[0], batch[0].text().positive)
	}
}

func (d *denoiser) run(ctx context.Context, first *row, lanes int) error {
	l, h, w := int64(lanes), int64(first.place.height), int64(first.place.width)
	channels := int64(len(first.x)) / (h * w)
	timestep := inference.Float32(d.timestep, l)
	if d.scalar {
		timestep = d.oneTimestep()
	}
	tokens := first.text().tokens
	in := map[string]inference.Tensor{
		"sample":                inference.Float32(d.sample, l, channels, h, w),
		"timestep":              timestep,
		"encoder_hidden_states": inference.Float32(d.states, l, tokens, int64(len(first.text().positive))/tokens),
	}
	return d.session.Run(ctx, in, map[string]inference.Tensor{"out_sample": inference.Float32(d.out, l, channels, h, w)})
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
		out := d.out[lane*n : (lane+1)*n]
		if r.job.guided() {
			scale, positive := float32(r.job.request.Guidance), d.out[(lane+1)*n:(lane+2)*n]
			for i, negative := range out {
				out[i] = negative + scale*(positive[i]-negative)
			}
		}
		lane += r.job.lanes()
		d.guided = append(d.guided, out)
	}
	return d.guided
}
