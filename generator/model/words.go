package model

import (
	"fmt"
	"strings"

	"github.com/easelbot/easel/inference/graph"
)

// list names values for a message.
func list(values []graph.Value) string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = v.Name
	}
	return strings.Join(names, ", ")
}

// alternatives writes "2", "0 or 1", "float32 or float16".
func alternatives[T any](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, " or ")
}
