package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/store"
)

// statuses are the HTTP statuses of error codes: those of bot.Error, and below them the API's own.
var statuses = map[string]int{
	"command": http.StatusBadRequest, "option": http.StatusBadRequest, "prompt": http.StatusBadRequest,
	"refused": http.StatusForbidden, "not_yours": http.StatusForbidden,
	"gone": http.StatusNotFound, "too_late": http.StatusConflict, "limited": http.StatusTooManyRequests,
	"busy": http.StatusServiceUnavailable, "disk_full": http.StatusServiceUnavailable,
	"failed": http.StatusInternalServerError,

	"request": http.StatusBadRequest, "session": http.StatusUnauthorized, "origin": http.StatusForbidden,
	"not_found": http.StatusNotFound, "method": http.StatusMethodNotAllowed, "too_large": http.StatusRequestEntityTooLarge,
	"type": http.StatusUnsupportedMediaType, "host": http.StatusMisdirectedRequest,
}

// Problems of the API's own.
var (
	errSession  = &bot.Error{Code: "session", Text: "This page does not know who you are any more. Reload it."}
	errNotFound = &bot.Error{Code: "not_found", Text: "There is nothing at this address."}
	errMethod   = &bot.Error{Code: "method", Text: "This address does not take such a request."}
	errOrigin   = &bot.Error{Code: "origin", Text: "This request came from another site, so it was not carried out."}
	errType     = &bot.Error{Code: "type", Text: "The request must be JSON: Content-Type: application/json."}
	errTooLarge = &bot.Error{Code: "too_large", Text: "This is too long to be sent. Please shorten it."}
	errJSON     = &bot.Error{Code: "request", Text: "The request could not be read. Reload the page and try again."}
	errFailed   = &bot.Error{Code: "failed", Text: "Something went wrong on Easel's side; it is in the log."}
	errFull     = &bot.Error{Code: "disk_full", Text: "Easel's disk is full, so nothing can be kept. Tell who runs it, and try again later."}
)

// A problem is an error's JSON.
type problem struct {
	Code       string `json:"code"`
	Message    string `json:"message"`
	Option     string `json:"option,omitempty"`
	RetryAfter int    `json:"retry_after,omitempty"` // seconds
}

// fail answers a request that went wrong. A *bot.Error is for the member; anything else is for the log.
func (c *Channel) fail(w http.ResponseWriter, r *http.Request, err error) {
	var told *bot.Error
	if !errors.As(err, &told) {
		told = errFailed
		if store.IsFull(err) {
			told = errFull
		}
		c.log(r, err)
	}
	p := problem{Code: told.Code, Message: told.Text, Option: told.Option, RetryAfter: int(math.Ceil(told.Retry.Seconds()))}
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	reply(w, cmp.Or(statuses[p.Code], http.StatusInternalServerError), map[string]problem{"error": p})
}

// log tells the operator why a request went wrong, without what was written in it. Who went away is no news.
func (c *Channel) log(r *http.Request, err error) {
	if r.Context().Err() == nil {
		c.options.Log.Error("a request to the local channel failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
}

// reply answers with JSON.
func reply(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // only for what has no JSON, a channel or a function
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who does not read it has gone
}
