package graph_test

import (
	"bytes"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/easelbot/easel/inference/graph"
	"github.com/easelbot/easel/inference/graph/graphtest"
)

var unet = graph.Signature{
	Inputs: []graph.Value{
		{Name: "sample", Type: graph.Float16, Shape: []int64{-1, 4, -1, -1}},
		{Name: "timestep", Type: graph.Int64, Shape: []int64{}},
		{Name: "encoder_hidden_states", Type: graph.Float32, Shape: nil},
	},
	Outputs:  []graph.Value{{Name: "out_sample", Type: graph.Float16, Shape: []int64{-1, 4, -1, -1}}},
	External: []string{"model.onnx_data", "weights/more.pb"},
	Reach:    map[string]int64{"model.onnx_data": 1000, "weights/more.pb": 0},
	OpSet:    18,
	Domains:  []string{"com.microsoft", "acme"},
}

// onlyReader hides that a source can seek.
type onlyReader struct{ io.Reader }

func TestRead(t *testing.T) {
	file := graphtest.Model(unet)
	for name, r := range map[string]io.Reader{
		"seeking": bytes.NewReader(file),
		"reading": onlyReader{bytes.NewReader(file)},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := graph.Read(r)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, unet) {
				t.Errorf("got %+v\nwant %+v", got, unet)
			}
		})
	}
}

// TestReach tells from where weights lie, and from their shapes, how long a file must be.
func TestReach(t *testing.T) {
	lies := func(bytes int64, place ...string) []byte {
		return graphtest.Outside("w", bytes, append([]string{"location", "w.bin"}, place...)...)
	}
	tests := []struct {
		name   string
		fields []byte
		want   int64
		says   string // or the error
	}{
		{"a length", lies(8, "length", "8"), 8, ""},
		{"a shape", lies(8), 8, ""},
		{"a place", lies(8, "offset", "4096", "length", "8"), 4104, ""},
		{"the farthest", append(lies(8, "offset", "4096"), lies(100)...), 4104, ""},
		{"another length", lies(8, "length", "9"), 0, `a weight in "w.bin" has 9 bytes, and its shape needs 8`},
		{"before the file", lies(8, "offset", "-5"), 0, `"-5" is no offset of a weight`},
		{"no number", lies(8, "offset", "near"), 0, `"near" is no offset of a weight`},
		{"a length below nothing", lies(8, "length", "-8"), 0, `"-8" is no length of a weight`},
		{"too far", lies(1<<62, "offset", "9223372036854775807"), 0, "farther behind than can be"},
		{"too large", lies(-1), 0, "larger than can be"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := graph.Read(bytes.NewReader(graphtest.Add(graphtest.Model(graph.Signature{Inputs: unet.Inputs, Outputs: unet.Outputs}), tt.fields)))
			if tt.says != "" {
				if err == nil || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("got %v, want an error that says %q", err, tt.says)
				}
				return
			}
			if err != nil || got.Reach["w.bin"] != tt.want || len(got.External) != 1 {
				t.Errorf("got %v of %v, %v; want %d", got.Reach, got.External, err, tt.want)
			}
		})
	}
}

// TestReadSkipsWeights puts a large weight before the signature, and lists it among the
// inputs as IR version 3 does.
func TestReadSkipsWeights(t *testing.T) {
	weight := graphtest.Message(nil, 8, []byte("conv.weight"))
	weight = graphtest.Message(weight, 9, make([]byte, 5<<20))
	g := graphtest.Message(nil, 5, weight)
	g = graphtest.Message(g, 11, value("conv.weight"))
	g = graphtest.Message(g, 11, value("x"))
	g = graphtest.Message(g, 12, value("y"))
	file := graphtest.Message(nil, 7, g)

	source := &countingReader{Reader: bytes.NewReader(file)}
	sig, err := graph.Read(source)
	if err != nil {
		t.Fatal(err)
	}
	if len(sig.Inputs) != 1 || sig.Inputs[0].Name != "x" {
		t.Errorf("inputs %v, want x alone", sig.Inputs)
	}
	if source.read > 64<<10 {
		t.Errorf("read %d bytes of %d; weights should be stepped over", source.read, len(file))
	}
	for cut := range file {
		if cut > 100 && cut < len(file)-100 {
			continue
		}
		if _, err := graph.Read(bytes.NewReader(file[:cut])); err == nil {
			t.Fatalf("a file cut at byte %d of %d is read without an error", cut, len(file))
		}
	}
}

type countingReader struct {
	*bytes.Reader
	read int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += n
	return n, err
}

// TestReadNested finds weights that lie inside the branch of an If.
func TestReadNested(t *testing.T) {
	entry := graphtest.Message(graphtest.Message(nil, 1, []byte("location")), 2, []byte("branch.bin"))
	tensor := graphtest.Message(nil, 13, entry)
	branch := graphtest.Message(nil, 5, tensor)
	attribute := graphtest.Message(nil, 6, branch)
	g := graphtest.Message(nil, 1, graphtest.Message(nil, 5, attribute))
	g = graphtest.Message(g, 11, value("x"))
	g = graphtest.Message(g, 12, value("y"))

	sig, err := graph.Read(bytes.NewReader(graphtest.Message(nil, 7, g)))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"branch.bin"}; !reflect.DeepEqual(sig.External, want) {
		t.Errorf("external files %q, want %q", sig.External, want)
	}
}

// TestReadOperators finds whose operators the nodes are, wherever they stand, but for those that the file defines itself.
func TestReadOperators(t *testing.T) {
	node := func(domain string, more ...byte) []byte {
		return graphtest.Message(nil, 1, append(graphtest.Message(graphtest.Message(nil, 4, []byte("Op")), 7, []byte(domain)), more...))
	}
	branch := graphtest.Message(nil, 5, graphtest.Message(nil, 6, node("branch")))
	g := append(node(""), node("ai.onnx", branch...)...)
	g = slices.Concat(g, node("acme"), node("own"), node("acme"))
	g = graphtest.Message(graphtest.Message(g, 11, value("x")), 12, value("y"))
	set := func(domain string, version uint64) []byte {
		return graphtest.Varint(graphtest.Message(nil, 1, []byte(domain)), 2, version)
	}
	file := graphtest.Message(graphtest.Message(nil, 8, set("", 17)), 8, set("unused", 99))
	file = graphtest.Message(file, 7, g)
	body := graphtest.Message(nil, 7, graphtest.Message(graphtest.Message(nil, 4, []byte("Op")), 7, []byte("within")))
	file = graphtest.Message(file, 25, graphtest.Message(body, 10, []byte("own")))

	sig, err := graph.Read(bytes.NewReader(file))
	if want := []string{"branch", "acme", "within"}; err != nil || sig.OpSet != 17 || !slices.Equal(sig.Domains, want) {
		t.Errorf("operator set %d and domains %q, %v; want 17 and %q", sig.OpSet, sig.Domains, err, want)
	}
}

func value(name string) []byte { return graphtest.Message(nil, 1, []byte(name)) }

func TestReadRefuses(t *testing.T) {
	deep := graphtest.Message(nil, 5, nil)
	for range 40 {
		deep = graphtest.Message(nil, 1, graphtest.Message(nil, 5, graphtest.Message(nil, 6, deep)))
	}
	long := graphtest.Message(nil, 11, value(strings.Repeat("n", 2<<20)))
	many := bytes.Repeat(graphtest.Message(nil, 11, value("n")), 200_000)
	axes := graph.Signature{
		Inputs:  []graph.Value{{Name: "x", Shape: make([]int64, 65)}},
		Outputs: []graph.Value{{Name: "y"}},
	}
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"nothing", nil, "no graph with inputs and outputs"},
		{"text", []byte("<!DOCTYPE html><html>"), "not a readable ONNX model"},
		{"a pointer of git-lfs", []byte("version https://git-lfs.github.com/spec/v1\n"), "not a readable ONNX model"},
		{"no outputs", graphtest.Model(graph.Signature{Inputs: unet.Inputs}), "no graph with inputs and outputs"},
		{"deep", graphtest.Message(nil, 7, deep), "nested too deep"},
		{"a long name", graphtest.Message(nil, 7, long), "where a name or shape should be"},
		{"many names", graphtest.Message(nil, 7, many), "more than 8 MiB"},
		{"many axes", graphtest.Model(axes), "more than 64 axes"},
		{"a field past its message", []byte{7<<3 | 2, 2, 5<<3 | 2, 100, 0, 0, 0}, "runs past its message"},
		{"a group", protowire.AppendTag(nil, 7, protowire.StartGroupType), "wire type 3"},
		{"an endless number", bytes.Repeat([]byte{0xff}, 20), "overflows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := graph.Read(bytes.NewReader(c.file))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestFits(t *testing.T) {
	for _, c := range []struct {
		value, shape []int64
		want         bool
	}{
		{[]int64{-1, 4}, []int64{7, 4}, true},
		{[]int64{-1, 4}, []int64{7, 5}, false},
		{[]int64{-1, 4}, []int64{7}, false},
		{[]int64{}, []int64{}, true},
		{[]int64{}, nil, true},
		{[]int64{}, []int64{1}, false},
		{nil, []int64{1, 2, 3}, true},
	} {
		if got := (graph.Value{Shape: c.value}).Fits(c.shape); got != c.want {
			t.Errorf("%v fits %v: %v, want %v", c.value, c.shape, got, c.want)
		}
	}
}

func TestString(t *testing.T) {
	for want, v := range map[string]graph.Value{
		"sample float16 [?,4,?,?]": unet.Inputs[0],
		"timestep int64 []":        unet.Inputs[1],
		"states float32":           {Name: "states", Type: graph.Float32},
		"odd type 99 [2]":          {Name: "odd", Type: 99, Shape: []int64{2}},
	} {
		if got := v.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// FuzzRead checks that reading never panics and does not depend on whether the source seeks.
func FuzzRead(f *testing.F) {
	f.Add(graphtest.Model(unet))
	f.Add(graphtest.Model(graph.Signature{Inputs: unet.Inputs[:1], Outputs: unet.Outputs}))
	f.Add([]byte{7<<3 | 2, 2, 5<<3 | 2, 100, 0, 0, 0})
	f.Fuzz(func(t *testing.T, file []byte) {
		seeking, err1 := graph.Read(bytes.NewReader(file))
		reading, err2 := graph.Read(onlyReader{bytes.NewReader(file)})
		if (err1 == nil) != (err2 == nil) || !reflect.DeepEqual(seeking, reading) {
			t.Fatalf("seeking gives %+v, %v; reading gives %+v, %v", seeking, err1, reading, err2)
		}
		if err1 != nil {
			return
		}
		again, err := graph.Read(bytes.NewReader(graphtest.Model(seeking)))
		if seeking.OpSet == 0 {
			again.OpSet = 0 // there must be one in what is written
		}
		if err != nil || !reflect.DeepEqual(again, seeking) {
			t.Fatalf("written and read again: %+v, %v; want %+v", again, err, seeking)
		}
	})
}
