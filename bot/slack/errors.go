package slack

import (
	"errors"
	"regexp"
	"slices"

	api "github.com/slack-go/slack"
)

// secret matches what must be in no log: addresses (response, upload and socket URLs are secrets) and Slack's tokens.
var secret = regexp.MustCompile(`(?:https?|wss?)://[^\s"']+|\bx(?:ox[a-z](?:\.xox[a-z])?|app)-[\w-]+`)

// redactedError is an error without its secrets.
type redactedError struct {
	text  string
	cause error
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.cause }

// redacted takes the secrets out of an error's text. errors.Is and errors.As still see the cause.
func redacted(err error) error {
	if err == nil {
		return nil
	}
	return &redactedError{text: secret.ReplaceAllString(err.Error(), "(redacted)"), cause: err}
}

// code is what Slack called an error, or "".
func code(err error) string {
	var answer api.SlackErrorResponse
	if errors.As(err, &answer) {
		return answer.Err
	}
	return ""
}

// refusesTokens tells whether nothing will work until the operator changes a token.
func refusesTokens(err error) bool {
	return slices.Contains([]string{"invalid_auth", "account_inactive", "not_authed", "token_revoked", "token_expired", "not_allowed_token_type"}, code(err))
}

// closed tells whether the bot may not write in a channel, now or on a next try.
func closed(err error) bool {
	return slices.Contains([]string{
		"not_in_channel", "channel_not_found", "is_archived", "user_not_in_channel", "restricted_action", "restricted_action_read_only_channel",
		"restricted_action_thread_only_channel", "restricted_action_non_threadable_channel", "team_access_not_granted", "no_permission", "access_denied",
	}, code(err))
}

// unreachable tells whether the bot can write somebody no direct message.
func unreachable(err error) bool {
	return closed(err) || slices.Contains([]string{
		"missing_scope", "user_not_found", "user_not_visible", "user_disabled", "users_not_found", "cannot_dm_bot", "messages_tab_disabled", "method_not_supported_for_channel_type",
	}, code(err))
}

// gone tells whether a message cannot be changed because it is not there any more.
func gone(err error) bool {
	return closed(err) || slices.Contains([]string{"message_not_found", "cant_update_message", "edit_window_closed", "cant_delete_message"}, code(err))
}
