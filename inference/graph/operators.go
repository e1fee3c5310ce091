package graph

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// ours reports whether a domain is that of ONNX's own operators.
func ours(domain string) bool { return domain == "" || domain == "ai.onnx" }

// operatorSet takes a version of operators that the file asks for. Those of domains that no node is of do not matter.
func (rd *reader) operatorSet(f field) error {
	b, err := rd.bytes(f)
	if err != nil {
		return err
	}
	var domain string
	var version int64
	err = each(b, func(num protowire.Number, n uint64, b []byte) error {
		switch num {
		case setDomain:
			domain = string(b)
		case setVersion:
			version = int64(min(n, math.MaxInt64))
		}
		return nil
	})
	if ours(domain) {
		rd.sig.OpSet = max(rd.sig.OpSet, version)
	}
	return err
}

// function takes a field of an operator that the file defines itself, of others.
func (rd *reader) function(f field) error {
	switch f.num {
	case functionNode:
		return rd.message(f.end, func(f field) error { return rd.node(f, 1) })
	case functionDomain:
		return rd.once(f, rd.own, nil)
	}
	return nil
}

// domain notes whose operator a node is.
func (rd *reader) domain(f field) error {
	return rd.once(f, rd.domains, &rd.sig.Domains)
}

// once notes a domain that was not seen before, but ONNX's own.
func (rd *reader) once(f field, seen map[string]bool, list *[]string) error {
	b, err := rd.bytes(f)
	if err != nil || ours(string(b)) || seen[string(b)] {
		return err
	}
	domain := string(b)
	seen[domain] = true
	if list != nil {
		*list = append(*list, domain)
	}
	return rd.keep(2 * len(domain))
}
