package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/easelbot/easel/bot"
)

// year is how long a browser keeps somebody's identity.
const year = 365 * 24 * time.Hour

// cookieName is the name of the cookie with somebody's token. Browsers send a cookie to all ports of a host, so two
// Easels beside each other need two names.
func cookieName(r *http.Request) string {
	host := url.URL{Host: r.Host}
	return "easel" + host.Port()
}

// person returns who sent a request. Nobody is the zero Person: their cookie is missing, or of another data folder.
func (c *Channel) person(r *http.Request) (bot.Person, error) {
	cookie, err := r.Cookie(cookieName(r))
	if err != nil {
		return bot.Person{}, nil //nolint:nilerr // it means that there is no such cookie
	}
	var p bot.Person
	err = c.db.Reader().QueryRowContext(r.Context(),
		`SELECT id, name FROM web_people WHERE token_hash = $1`, hash(cookie.Value)).Scan(&p.ID, &p.Name)
	if errors.Is(err, sql.ErrNoRows) {
		return bot.Person{}, nil
	}
	if err != nil {
		return bot.Person{}, fmt.Errorf("looking up who asks: %w", err)
	}
	return p, nil
}

// welcome returns who sent a request. To somebody new it gives an identity.
//
// A browser that follows a link from another site sends no cookie (SameSite=Strict), so whoever comes that way may have
// an identity already and must not get another in its place.
func (c *Channel) welcome(w http.ResponseWriter, r *http.Request) (bot.Person, error) {
	p, err := c.person(r)
	if err != nil {
		return p, err
	}
	if p.ID != "" {
		if cookie, err := r.Cookie(cookieName(r)); err == nil && c.touch(r, p) {
			remember(w, r, cookie.Value)
		}
		return p, nil
	}
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		return p, nil
	}
	p = bot.Person{ID: ulid.Make().String(), Name: friendlyName()}
	token := rand.Text()
	if err := c.register(r.Context(), p, token); err != nil {
		return bot.Person{}, err
	}
	remember(w, r, token)
	return p, nil
}

// remember gives a browser the token of who uses it, for another year.
func remember(w http.ResponseWriter, r *http.Request, token string) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(r), Value: token, Path: "/", MaxAge: int(year.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

func (c *Channel) register(ctx context.Context, p bot.Person, token string) error {
	now := time.Now().UnixMilli()
	err := c.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO web_people (id, token_hash, name, created, seen) VALUES ($1, $2, $3, $4, $4)`,
			p.ID, hash(token), p.Name, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("registering somebody new: %w", err)
	}
	return nil
}

// touch writes down that somebody was here, to the hour, and tells whether it has. Without it they are as welcome.
func (c *Channel) touch(r *http.Request, p bot.Person) bool {
	now := time.Now()
	var seen int64
	err := c.db.Reader().QueryRowContext(r.Context(), `SELECT seen FROM web_people WHERE id = $1`, p.ID).Scan(&seen)
	if err == nil && now.Sub(time.UnixMilli(seen)) < time.Hour {
		return false // and nobody waits for the writers' turn
	}
	err = c.db.Write(r.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(r.Context(), `UPDATE web_people SET seen = $2 WHERE id = $1`, p.ID, now.UnixMilli())
		return err
	})
	if err != nil {
		c.log(r, fmt.Errorf("writing down who was here: %w", err))
	}
	return err == nil
}

// rename gives somebody the name they chose. What they wrote before keeps the name it was written under.
func (c *Channel) rename(ctx context.Context, p bot.Person) error {
	err := c.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE web_people SET name = $2, seen = $3 WHERE id = $1`, p.ID, p.Name, time.Now().UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("renaming somebody: %w", err)
	}
	c.hub.rename(p)
	return nil
}

// hash is what is kept of a token. The token is random and long, so it needs no salt and no slow function.
func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// friendlyName is what somebody is called until they choose a name, such as "Amber Heron".
func friendlyName() string {
	return colours[mathrand.IntN(len(colours))] + " " + birds[mathrand.IntN(len(birds))]
}

var colours = []string{
	"Amber", "Azure", "Bronze", "Cobalt", "Copper", "Coral", "Crimson", "Golden", "Indigo", "Ivory", "Jade", "Lilac",
	"Ochre", "Olive", "Pearl", "Russet", "Saffron", "Scarlet", "Silver", "Umber", "Violet",
}

var birds = []string{
	"Avocet", "Bunting", "Curlew", "Dunlin", "Egret", "Falcon", "Finch", "Heron", "Ibis", "Kestrel", "Lapwing", "Linnet",
	"Magpie", "Oriole", "Osprey", "Petrel", "Plover", "Puffin", "Robin", "Sparrow", "Swallow", "Swift", "Tern", "Wren",
}
