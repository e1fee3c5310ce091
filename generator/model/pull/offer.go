package pull

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// An Offer is what a hub has of a model, before anything is fetched.
type Offer struct {
	Source  Source
	Commit  string  // at which all is asked for; the source's revision where the hub does not tell
	Licence Licence // that the hub tells of
	Files   []File  // that the layout needs, smallest first

	all map[string]File // everything there is, for weights that only the graphs name
}

// Offer asks what the hub has. say, which may be called from this goroutine only, is told of waits.
func (h *Hub) Offer(ctx context.Context, s Source, say func(Event)) (*Offer, error) {
	o := &Offer{Source: s, Commit: s.Revision}
	if err := h.persist(ctx, h.attempts/2, say, func() (bool, error) { return false, h.info(ctx, o) }); err != nil {
		return nil, err
	}
	err := h.persist(ctx, h.attempts/2, say, func() (bool, error) { return false, h.list(ctx, o) })
	if err != nil {
		return nil, err
	}
	if o.Files, err = choose(o.all); err != nil {
		return nil, fmt.Errorf("%s: %w", s, err)
	}
	return o, nil
}

// api returns the address of something about the model: "tree", "revision".
func (h *Hub) api(s Source, what, revision string) *url.URL {
	return h.base.JoinPath("api/models", s.Repo, what, url.PathEscape(revision))
}

// info asks for commit and licence. A mirror that knows neither is no obstacle.
func (h *Hub) info(ctx context.Context, o *Offer) error {
	response, err := h.get(ctx, h.api(o.Source, "revision", o.Source.Revision), nil)
	var status *statusError
	if errors.As(err, &status) && status.status == http.StatusNotFound && status.code == "" {
		return nil // the list of files will tell whether it is the model that is missing
	}
	if err != nil {
		return h.denied(o.Source, err)
	}
	defer response.Body.Close()
	var told struct {
		Commit string                     `json:"sha"`
		Card   map[string]json.RawMessage `json:"cardData"`
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxPage))
	if err != nil {
		return err
	}
	if json.Unmarshal(body, &told) != nil {
		return nil // likewise
	}
	if sha1Form.MatchString(told.Commit) {
		o.Commit = told.Commit
	}
	o.Licence = licenceOf(told.Card)
	return nil
}

// list asks for the files, page by page.
func (h *Hub) list(ctx context.Context, o *Offer) error {
	l := listing{files: map[string]File{}}
	next := h.api(o.Source, "tree", o.Commit)
	next.RawQuery = "recursive=true&expand=false"
	for range maxPages {
		response, err := h.get(ctx, next, nil)
		if err != nil {
			return h.denied(o.Source, err)
		}
		err = l.add(response.Body)
		response.Body.Close()
		if err != nil {
			return err
		}
		if next, err = h.following(next, response.Header); next == nil || err != nil {
			o.all = l.files
			return err
		}
	}
	return fmt.Errorf("the hub's list of files does not end after %d pages; this is no model", maxPages)
}

var nextLink = regexp.MustCompile(`<([^<>]*)>\s*;[^,]*\brel="?next"?`)

// following returns the next page that a Link header names, or nil. It must lie on the hub as well.
func (h *Hub) following(page *url.URL, header http.Header) (*url.URL, error) {
	m := nextLink.FindStringSubmatch(strings.Join(header.Values("Link"), ", "))
	if m == nil {
		return nil, nil
	}
	next, err := page.Parse(m[1])
	if err != nil || next.Host != h.base.Host || next.User != nil {
		return nil, errors.New("the hub's list of files goes on at another server, where easel does not follow; is the mirror's address right?")
	}
	next.Scheme = h.base.Scheme // mirrors behind a proxy get it wrong
	return next, nil
}

// denied says what to do when a hub does not give what was asked for.
func (h *Hub) denied(s Source, err error) error {
	var status *statusError
	var again *againError
	if !errors.As(err, &status) || errors.As(err, &again) {
		return err
	}
	switch {
	case status.status == http.StatusNotFound && status.code == "RevisionNotFound":
		return fmt.Errorf("%s has no revision %q: %w", s.Repo, s.Revision, err)
	case status.status == http.StatusNotFound:
		return fmt.Errorf("there is no model %s, or it has no revision %q: %w; look at %s", s.Repo, s.Revision, err, h.Page(s))
	case status.status == http.StatusUnauthorized && status.code == "RepoNotFound":
		return fmt.Errorf("there is no model %s, or only those with the right token may see it: %w; %s", s.Repo, err, h.admission(s))
	case status.status == http.StatusUnauthorized, status.status == http.StatusForbidden:
		return fmt.Errorf("%s is given only to those who ask: %w; %s", s.Repo, err, h.admission(s))
	}
	return fmt.Errorf("%s: %w", s.Repo, err)
}

// admission says how to be let in.
func (h *Hub) admission(s Source) string {
	return fmt.Sprintf("log in and accept the licence at %s, make a token that may read at %s, and put it into HF_TOKEN or a file for --token-file",
		h.Page(s), h.base.JoinPath("settings/tokens"))
}
