package pull

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
)

// A Licence is a model's licence as hubs write it: "mit", "openrail++"; "" when it is not known.
type Licence string

// The licences that models of this kind come under and that restrict what may be done with them.
var restricted = map[Licence]string{
	"creativeml-openrail-m":    "CreativeML OpenRAIL-M (restricts what pictures may be made for)",
	"bigscience-openrail-m":    "BigScience OpenRAIL-M (restricts what it may be used for)",
	"openrail":                 "OpenRAIL (restricts what it may be used for)",
	"openrail++":               "CreativeML OpenRAIL++-M (restricts what pictures may be made for)",
	"sai-nc-community":         "Stability AI Non-Commercial Community License (no commercial use)",
	"stabilityai-ai-community": "Stability AI Community License (commercial use only below a turnover)",
}

// permissive are the licences that allow use for any purpose without asking.
var permissive = []Licence{
	"apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "isc", "zlib", "unlicense", "cc0-1.0", "0bsd",
	"mpl-2.0", "gpl-2.0", "gpl-3.0", "lgpl-2.1", "lgpl-3.0", "agpl-3.0", "gpl", "lgpl", "artistic-2.0", "epl-2.0", "ecl-2.0", "ms-pl", "postgresql", "ncsa", "afl-3.0", "bsl-1.0",
}

// Free reports whether the model may be used for any purpose without agreeing to anything first.
func (l Licence) Free() bool { return slices.Contains(permissive, l) }

// String returns the licence's name for people.
func (l Licence) String() string {
	if l == "" {
		return "not told"
	}
	if name, ok := restricted[l]; ok {
		return name
	}
	return string(l)
}

// licenceOf reads what a hub tells of a model: the card's license, or license_name when that is "other".
func licenceOf(card map[string]json.RawMessage) Licence {
	text := func(key string) string {
		var one string
		var many []string
		if json.Unmarshal(card[key], &one) != nil && json.Unmarshal(card[key], &many) == nil {
			one = strings.Join(many, " and ")
		}
		return printable(one)
	}
	id := text("license")
	if id == "other" {
		id = text("license_name")
	}
	return Licence(strings.ToLower(id))
}

// printable cuts out of a text from outside what could move a terminal's cursor.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
	return strings.ToValidUTF8(text[:min(len(text), 100)], "")
}
