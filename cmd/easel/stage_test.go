package main

import (
	"testing"
	"time"
)

// A stage is a platform with a server of its own, a channel, a moderators' channel and people, as these people see it.
// Its methods may be called by many goroutines at once, except await.
type stage interface {
	// env is what the program is told of the platform, in its environment.
	env() []string
	// await waits until a program that has just been started listens to the platform, and knows from then on where it is.
	await(t *testing.T, s *served)
	// imagine types a command, with options by their name ("seed": "7"), and tells how long it took to be acknowledged.
	imagine(t *testing.T, who, prompt string, options map[string]string) time.Duration
	// press presses a button, by what it says.
	press(t *testing.T, who string, p post, label string)
	// posts are the messages of the channel as they are now, oldest first.
	posts(t *testing.T) []post
	// cases are those of the moderators' channel.
	cases(t *testing.T) []post
	// private is what somebody alone has been told so far: refusals, notices, direct messages.
	private(t *testing.T, who string) []post
}

// A post is a message as it is seen.
type post struct {
	id       string
	text     string   // all that is written in it
	pictures [][]byte // as they were posted; what is veiled is not among them
	buttons  []string // what they say
}

// The people of every stage. The moderator is the first to come, and alone sees the moderators' channel.
const (
	ada       = "ada"
	bob       = "bob"
	moderator = "mo"
)
