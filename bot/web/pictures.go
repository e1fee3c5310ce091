package web

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/easelbot/easel/gallery"
)

// picture serves the bytes of one picture, which never change, to those who may see it.
func (a *api) picture(w http.ResponseWriter, r *http.Request) error {
	entry, file, err := a.look(r)
	if errors.Is(err, gallery.ErrNotFound) {
		noPicture(w)
		return nil
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("Cache-Control", "private, no-cache") // the bytes never change, but they may be deleted
	h.Set("ETag", `"`+entry.Blob+`"`)
	if r.URL.Query().Get("download") == "1" {
		seed, _ := entry.Request.Seeds(entry.Index)
		h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="easel-%d.png"`, seed))
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file))
	return nil
}

// look finds the picture that a request names. Strangers see nothing.
func (a *api) look(r *http.Request) (entry gallery.Entry, file []byte, err error) {
	me, err := a.person(r)
	if err != nil {
		return entry, nil, err
	}
	index, ok := indexOf(r)
	if !ok || me.ID == "" {
		return entry, nil, gallery.ErrNotFound
	}
	scope := gallery.Scope{Tenant: general.Tenant, Channel: general.Channel, Viewer: me.ID}
	entry, err = a.gallery.Picture(r.Context(), scope, r.PathValue("job"), index)
	if err != nil {
		return entry, nil, err
	}
	file, err = a.gallery.File(r.Context(), scope, entry.Job, entry.Index)
	return entry, file, err
}

// indexOf reads the index in "/pictures/01J8Z3K4M5N6P7Q8R9S0T1V2W3/2.png".
func indexOf(r *http.Request) (index int, ok bool) {
	name, ok := strings.CutSuffix(r.PathValue("index"), ".png")
	n, err := strconv.ParseUint(name, 10, 16)
	return int(n), ok && err == nil
}

// noPicture answers the same for what is not there and what somebody may not see.
func noPicture(w http.ResponseWriter) {
	http.Error(w, "There is no such picture.", http.StatusNotFound)
}
