package bot

import (
	"context"
	"errors"
	"strings"

	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/jobs"
	"github.com/easelbot/easel/moderation/review"
	"github.com/easelbot/easel/ratelimit"
	"github.com/easelbot/easel/store"
)

// describe turns what went wrong into what a member can do about it.
func describe(err error) *Error {
	var own *Error
	var invalid *imagine.InvalidError
	var refused *jobs.RefusedError
	var denied *ratelimit.DeniedError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &invalid):
		return invalidOption(invalid)
	case errors.As(err, &refused):
		return &Error{Code: "refused", Text: refused.Verdict.Polite("prompt"), cause: err}
	case errors.As(err, &denied):
		return &Error{Code: "limited", Text: denied.Polite(), Retry: denied.Retry, cause: err}
	case errors.Is(err, jobs.ErrTooMany):
		return &Error{Code: "busy", Text: "You have many requests waiting. Let some finish first.", cause: err}
	case errors.Is(err, jobs.ErrBusy):
		return &Error{Code: "busy", Text: "Too many requests are waiting. Try again in a minute.", cause: err}
	case errors.Is(err, jobs.ErrNotYours):
		return &Error{Code: "not_yours", Text: "Only the one who asked for these pictures can do that.", cause: err}
	case errors.Is(err, jobs.ErrTooLate):
		return &Error{Code: "too_late", Text: "It is too late to cancel: it is over already.", cause: err}
	case errors.Is(err, jobs.ErrNotFound), errors.Is(err, gallery.ErrNotFound), errors.Is(err, review.ErrNotFound):
		return &Error{Code: "gone", Text: "That is not here. It may have been deleted.", cause: err}
	case errors.Is(err, jobs.ErrFull), store.IsFull(err):
		return &Error{Code: "disk_full", Text: "Easel's disk is full, so nothing can be saved. The operator has been told; try again later.", cause: err}
	case errors.Is(err, context.Canceled): // they have gone, and read no answer
		return &Error{Code: "busy", Text: "The request was broken off. Try again.", cause: err}
	default:
		return &Error{Code: "failed", Text: "Something went wrong on Easel's side. The operator can find it in the log; try again.", cause: err}
	}
}

func invalidOption(e *imagine.InvalidError) *Error {
	if e.Field == "path" {
		return &Error{Code: "option", Text: "These pictures cannot be varied further; vary an earlier one.", cause: e}
	}
	if e.Field == "prompt" {
		return &Error{Code: "prompt", Text: "Your prompt cannot be painted: " + e.Reason + ".", cause: e}
	}
	return &Error{Code: "option", Option: e.Field, Text: "--" + strings.TrimSuffix(e.Error(), ".") + ".", cause: e}
}
