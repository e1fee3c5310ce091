package model

import (
	"slices"

	"github.com/easelbot/easel/inference/graph"
)

// newestSet is the newest of ONNX's operator sets that ONNX Runtime 1.30 knows, which refuses files of a newer one.
const newestSet = 26

// domains are those whose operators ONNX Runtime has, besides ONNX's own.
var domains = []string{
	"ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training",
	"com.microsoft", "com.microsoft.experimental", "com.microsoft.nchwc", "com.ms.internal.nhwc", "org.pytorch.aten",
}

// operators checks that ONNX Runtime has the operators that a graph is made of.
func (in *inspector) operators(component string, sig graph.Signature) {
	if sig.OpSet > newestSet {
		in.problem(file(component), "is of operator set %d, and ONNX Runtime 1.30 knows those up to %d; export it again with an older one, "+
			"such as optimum's --opset 18", sig.OpSet, newestSet)
	}
	if i := slices.IndexFunc(sig.Domains, func(domain string) bool { return !slices.Contains(domains, domain) }); i >= 0 {
		in.problem(file(component), "needs operators of %.60q, which ONNX Runtime does not have; export it again without them", sig.Domains[i])
	}
}
