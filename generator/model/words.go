package model

import (
	"fmt"
	"strings"

	"github.com/easelbot/easel/inference/graph"
)

// list names values for a message, the first of them if they are many.
func list(values []graph.Value) string {
	const most = 20
	names := make([]string, 0, most+1)
	for i, v := range values {
		if i == most {
			names = append(names, fmt.Sprintf("and %d more", len(values)-most))
			break
		}
		names = append(names, v.Name)
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
