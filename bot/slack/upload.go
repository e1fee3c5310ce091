package slack

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"

	api "github.com/slack-go/slack"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/gallery"
)

// Characters of a file's title and of its description.
const (
	maxTitle   = 200
	maxFileAlt = 1000
)

// upload brings the pictures of a message to Slack that are not there yet, shared with nobody.
func (a *Adapter) upload(ctx context.Context, place bot.Place, l *live, m bot.Message) error {
	files := maps.Clone(l.files)
	if files == nil {
		files = map[int]string{}
	}
	var done []api.FileSummary
	for _, p := range m.Pictures {
		if p.Veiled || files[p.Index] != "" {
			continue
		}
		id, err := a.send(ctx, place, m, p)
		if err != nil {
			return err
		}
		if id != "" {
			files[p.Index] = id
			done = append(done, api.FileSummary{ID: id, Title: cmp.Or(cut(m.Prompt, maxTitle), "AI picture")})
		}
	}
	if len(done) > 0 {
		if err := a.finish(ctx, done); err != nil {
			return err
		}
	}
	l.files = files
	return nil
}

// finish ends an upload. The files are shared with nobody.
func (a *Adapter) finish(ctx context.Context, files []api.FileSummary) error {
	if _, err := a.api.CompleteUploadExternalContext(ctx, api.CompleteUploadExternalParameters{Files: files}); err != nil {
		return fmt.Errorf("completing an upload: %w", err)
	}
	return nil
}

// send sends a picture's bytes and returns the file's ID, or "" where there is no picture any more.
func (a *Adapter) send(ctx context.Context, place bot.Place, m bot.Message, p bot.Picture) (id string, err error) {
	scope := gallery.Scope{Tenant: place.Tenant, Channel: place.Channel, Viewer: m.Author.ID}
	file, err := a.options.Pictures.File(ctx, scope, p.Job, p.Index)
	if errors.Is(err, gallery.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return a.transfer(ctx, fmt.Sprintf("easel-%d.png", p.Seed), file, p)
}

// transfer sends the bytes of a picture under a file's name and returns the file's ID.
func (a *Adapter) transfer(ctx context.Context, name string, file []byte, p bot.Picture) (id string, err error) {
	to, err := a.api.GetUploadURLExternalContext(ctx, api.GetUploadURLExternalParameters{
		FileName: name, FileSize: len(file), AltTxt: cut(p.Alt, maxFileAlt),
	})
	if err != nil {
		return "", fmt.Errorf("asking where to upload picture %d: %w", p.Index, err)
	}
	err = a.api.UploadToURL(ctx, api.UploadToURLParameters{UploadURL: to.UploadURL, Reader: bytes.NewReader(file), Filename: name})
	if err != nil {
		return "", fmt.Errorf("uploading picture %d: %w", p.Index, err)
	}
	return to.FileID, nil
}
