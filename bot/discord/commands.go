package discord

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/imagine"
)

// command is a command as it is registered. What Discord adds to it is left out, so that two can be compared.
type command struct {
	Name        string   `json:"name"`
	Type        int      `json:"type"` // 1: a slash command
	Description string   `json:"description"`
	Options     []option `json:"options,omitempty"`
	Contexts    []int    `json:"contexts,omitempty"`          // 0: a server, 1: the bot's direct messages
	Integration []int    `json:"integration_types,omitempty"` // 0: a server
}

type option struct {
	Type        int      `json:"type"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Required    bool     `json:"required,omitempty"`
	Min         *float64 `json:"min_value,omitempty"`
	Max         *float64 `json:"max_value,omitempty"`
	MaxLength   int      `json:"max_length,omitempty"`
}

// The types of options that are used.
const (
	text   = int(discordgo.ApplicationCommandOptionString)
	whole  = int(discordgo.ApplicationCommandOptionInteger)
	number = int(discordgo.ApplicationCommandOptionNumber)
)

const safeSeed = 1<<53 - 1 // the largest whole number that Discord carries

// fields says which options are more than text, and what clients may send for them.
var fields = map[string]option{
	"negative": {Type: text, MaxLength: imagine.MaxPrompt},
	"count":    span(whole, 1, bot.MaxCount),
	"seed":     span(whole, -safeSeed, safeSeed),
	"steps":    span(whole, 1, imagine.MaxSteps),
	"guidance": span(number, 0, imagine.MaxScale),
}

func span(kind int, low, high float64) option { return option{Type: kind, Min: &low, Max: &high} }

// Lengths that Discord allows, in characters.
const (
	maxDescription = 100
	maxTextOption  = 100 // of ours, which has no limit of its own
)

// commands lists what there is to type, in a server or everywhere.
func commands(hints []bot.Hint, global bool) []command {
	var list []command
	for _, h := range bot.Commands() {
		c := command{Name: h.Name, Type: 1, Description: shorten(h.Help, maxDescription)}
		if h.Name == "imagine" {
			c.Options = imagineOptions(hints)
		}
		if global {
			c.Contexts, c.Integration = []int{0, 1}, []int{0}
		}
		list = append(list, c)
	}
	return list
}

func imagineOptions(hints []bot.Hint) []option {
	list := []option{{Type: text, Name: "prompt", Description: "What to paint", Required: true, MaxLength: imagine.MaxPrompt}}
	for _, h := range hints {
		o, ok := fields[h.Name]
		if !ok {
			o = option{Type: text, MaxLength: maxTextOption}
		}
		o.Name, o.Description = h.Name, h.Help
		if h.Hint != "" {
			o.Description += ", such as " + h.Hint
		}
		o.Description = shorten(o.Description, maxDescription)
		list = append(list, o)
	}
	return list
}

// register makes Discord offer our commands. Nothing is written when it does already.
func (a *Adapter) register(ctx context.Context, hints []bot.Hint) error {
	path := "applications/" + a.options.AppID + "/commands"
	if a.options.GuildID != "" {
		path = "applications/" + a.options.AppID + "/guilds/" + a.options.GuildID + "/commands"
	}
	var there []command
	global := a.options.GuildID == ""
	wanted := commands(hints, global)
	err := a.call(ctx, request{method: http.MethodGet, path: path, bucket: "commands"}, &there)
	if err == nil && !same(there, wanted, global) {
		err = a.call(ctx, request{method: http.MethodPut, path: path, bucket: "commands", body: wanted}, nil)
	}
	if err != nil {
		return fmt.Errorf("registering commands with Discord; check that the application's ID is right and the bot was invited with applications.commands: %w", err)
	}
	return nil
}

// same compares commands, in any order.
func same(a, b []command, global bool) bool {
	canonical := func(list []command) string {
		list = slices.SortedFunc(slices.Values(list), func(x, y command) int { return cmp.Or(strings.Compare(x.Name, y.Name), x.Type-y.Type) })
		for i := range list {
			if len(list[i].Options) == 0 {
				list[i].Options = nil
			}
			if !global { // there they mean nothing, whatever Discord returns
				list[i].Contexts, list[i].Integration = nil, nil
			}
		}
		encoded, _ := json.Marshal(list) // there is nothing in it that cannot be
		return string(encoded)
	}
	return canonical(a) == canonical(b)
}
