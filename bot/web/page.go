package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"net/http"
	"path"
	"time"
)

//go:embed static
var files embed.FS

// types are what the page is made of. The system's own table of types may differ.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml", ".png": "image/png", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2",
}

// page serves the page, and gives somebody new an identity.
func (a *api) page(w http.ResponseWriter, r *http.Request) error {
	if _, err := a.welcome(w, r); err != nil {
		a.log(r, err) // the page asks for its session next, and can say what is wrong
	}
	return asset(w, r, "index.html")
}

func (a *api) static(w http.ResponseWriter, r *http.Request) error {
	return asset(w, r, r.PathValue("file"))
}

// asset serves one file, which browsers keep but ask about each time: after an update they must not mix old and new.
func asset(w http.ResponseWriter, r *http.Request, name string) error {
	kind, ok := types[path.Ext(name)]
	content, err := files.ReadFile(path.Join("static", path.Base(name)))
	if !ok || err != nil {
		return errNotFound
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(content)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	return nil
}
