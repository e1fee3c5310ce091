package slack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	api "github.com/slack-go/slack"

	"github.com/easelbot/easel/gallery"
)

// A Finding is one thing that [Examine] looked at.
type Finding struct {
	Name string // "slack", "slack scopes", "slack socket", "slack cases"
	OK   bool
	Text string // what was found, or what is wrong and what to do
}

// examinePatience is how long Slack may take to answer one question.
const examinePatience = 10 * time.Second

// scopes are what the bot token must be allowed, as the manifest asks for.
var scopes = []string{"commands", "chat:write", "files:write", "im:write"}

// Examine asks Slack whether the bot token is good and allows what the bot does, whether the app token opens a socket, and whether
// the bot is in the moderators' channel ("": there is none). It posts nothing and connects to no socket. The pictures of the
// options are not needed. No finding holds a token or the socket's address.
func Examine(ctx context.Context, o Options, reviewChannel string) []Finding {
	if o.Pictures == nil {
		o.Pictures = noPictures{}
	}
	a, err := Open(o)
	if err != nil {
		return []Finding{{"slack", false, err.Error()}}
	}
	defer a.http.CloseIdleConnections()
	me, err := within(ctx, a.api.AuthTestContext)
	if err != nil {
		return []Finding{found("slack")("", refusal(err, "the bot token", `copy it anew from the app's page "OAuth & Permissions", and set EASEL_SLACK_BOT_TOKEN to it`))}
	}
	findings := []Finding{{"slack", true, fmt.Sprintf("the token is that of %q in %q", me.User, me.Team)}}
	if list := me.Header.Values("X-OAuth-Scopes"); len(list) > 0 {
		findings = append(findings, found("slack scopes")(findScopes(list)))
	}
	return append(findings, found("slack socket")(a.findSocket(ctx)), found("slack cases")(a.findChannel(ctx, reviewChannel)))
}

// noPictures are those of who only asks.
type noPictures struct{}

func (noPictures) File(context.Context, gallery.Scope, string, int) ([]byte, error) {
	return nil, gallery.ErrNotFound
}

// Sealed is as empty.
func (noPictures) Sealed(context.Context, string, string) (map[int][]byte, error) { return nil, nil }

// found makes a finding of what was found or went wrong.
func found(name string) func(text string, err error) Finding {
	return func(text string, err error) Finding {
		if err != nil {
			return Finding{name, false, err.Error()}
		}
		return Finding{name, true, text}
	}
}

// within asks one question, for no longer than examinePatience.
func within[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, examinePatience)
	defer cancel()
	return ask(ctx)
}

// refusal says why Slack did not answer a question, and what to do if it refuses a token.
func refusal(err error, token, remedy string) error {
	var limited *api.RateLimitedError
	switch {
	case refusesTokens(err):
		return fmt.Errorf("slack refuses %s (%s); %s", token, code(err), remedy)
	case code(err) == "missing_scope", code(err) == "not_allowed_token_type":
		return fmt.Errorf("%s does not allow it (%s); %s", token, code(err), remedy)
	case code(err) != "":
		return fmt.Errorf("slack answers %s; look at the app's page, and at slack.api_url if one is set", code(err))
	case errors.As(err, &limited), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("slack does not answer within %v, or was asked too often; try again in a minute", examinePatience)
	}
	return fmt.Errorf("slack cannot be asked: %w", redacted(err))
}

func findScopes(headers []string) (string, error) {
	given := strings.FieldsFunc(strings.Join(headers, ","), func(r rune) bool { return r == ',' || r == ' ' })
	var missing []string
	for _, scope := range scopes {
		if !slices.Contains(given, scope) {
			missing = append(missing, scope)
		}
	}
	if len(missing) > 0 {
		return "", fmt.Errorf(`the bot token lacks %s; add what lacks on the app's page "OAuth & Permissions", install the app again, and set EASEL_SLACK_BOT_TOKEN to the token that it shows then`,
			strings.Join(missing, ", "))
	}
	return strings.Join(scopes, ", "), nil
}

// findSocket asks for a socket, and leaves it.
func (a *Adapter) findSocket(ctx context.Context) (string, error) {
	if a.options.AppToken == "" {
		return "no app token: Slack must reach /slack/events at public_url", nil
	}
	_, err := within(ctx, func(ctx context.Context) (string, error) {
		_, address, err := a.api.StartSocketModeContext(ctx)
		return address, err
	})
	if err != nil {
		return "", refusal(err, "the app token",
			`make one with the scope connections:write on the app's page "Basic Information", switch Socket Mode on, and set EASEL_SLACK_APP_TOKEN to it`)
	}
	return "Slack opens a socket for the app token", nil
}

func (a *Adapter) findChannel(ctx context.Context, id string) (string, error) {
	if id == "" {
		return "no moderators' channel is named (slack.review_channel): cases wait for easel review list", nil
	}
	channel, err := within(ctx, func(ctx context.Context) (*api.Channel, error) {
		return a.api.GetConversationInfoContext(ctx, &api.GetConversationInfoInput{ChannelID: id})
	})
	switch {
	case code(err) == "missing_scope":
		return fmt.Sprintf("channel %s cannot be looked at without the scope channels:read (groups:read if it is private), which the bot does not need; see to it that it is invited there", id), nil
	case closed(err):
		return "", fmt.Errorf("the bot does not see channel %s (slack.review_channel; %s); correct the ID, or invite the bot there: /invite @easel", id, code(err))
	case err != nil:
		return "", refusal(err, "the bot token", "set EASEL_SLACK_BOT_TOKEN to one that does")
	case channel.IsArchived:
		return "", fmt.Errorf("%q (slack.review_channel) is archived; name another channel", channel.Name)
	case !channel.IsMember:
		return "", fmt.Errorf("the bot is not in %q (slack.review_channel); invite it there: /invite @easel", channel.Name)
	}
	return fmt.Sprintf("moderators are asked in %q", channel.Name), nil
}
