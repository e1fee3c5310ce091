package web

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/easelbot/easel/bot"
)

// PostCase posts a case for the owner alone. There is one message for a case, and its ID is the case's; posting it again
// changes nothing. Without an owner there is nobody to see it: "".
func (c *Channel) PostCase(ctx context.Context, place bot.Place, _ string, m bot.CaseMessage) (id string, err error) {
	owner, err := c.owner(ctx)
	if err != nil || owner == "" || place.Tenant != general.Tenant {
		return "", err
	}
	body, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("encoding a case: %w", err)
	}
	_, err = c.insert(ctx, row{
		kind: kindCase, author: easel, recipient: owner, job: m.Case, body: string(body), created: m.At,
	})
	if err != nil {
		return "", err
	}
	return m.Case, nil
}

// ShowCase makes a case's message show m.
func (c *Channel) ShowCase(ctx context.Context, _ bot.Place, id string, m bot.CaseMessage) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encoding a case: %w", err)
	}
	return c.change(ctx, kindCase, id, func(tx *sql.Tx) error { return setBody(ctx, tx, kindCase, id, string(body)) })
}

// sealed serves the bytes of one held picture to the owner. To everybody else there is none.
func (a *api) sealed(w http.ResponseWriter, r *http.Request) error {
	file, err := a.unseal(r)
	switch {
	case err != nil:
		return err
	case file == nil:
		noPicture(w)
		return nil
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "no-store") // once it is rejected, nobody is to find it anywhere
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file))
	return nil
}

// unseal finds the held picture that a request of the owner names, or nil.
func (a *api) unseal(r *http.Request) ([]byte, error) {
	me, err := a.person(r)
	if err != nil {
		return nil, err
	}
	owner, err := a.owner(r.Context())
	index, ok := indexOf(r)
	if err != nil || !ok || me.ID == "" || me.ID != owner {
		return nil, err
	}
	files, err := a.gallery.Sealed(r.Context(), general.Tenant, r.PathValue("job"))
	return files[index], err
}
