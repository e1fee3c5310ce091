package main

import (
	"fmt"
	"net/http"
)

// page is a page without a channel: a title, what is to be said, and what the browser is to do.
const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">%s
<title>Easel</title>
<h1>%s</h1>
<p>%s</p>
</html>
`

func plainPage(w http.ResponseWriter, status int, extra, title, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintf(w, page, extra, title, text)
}

// starting is shown until the engine is open; the page asks again by itself.
func starting(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "1")
	plainPage(w, http.StatusServiceUnavailable, "\n"+`<meta http-equiv="refresh" content="1">`,
		"Easel is starting", "The model is being loaded. This page opens by itself in a moment.")
}

// forbidden is shown where strangers could come in: the channel has no sign-in yet.
func forbidden(w http.ResponseWriter, _ *http.Request) {
	plainPage(w, http.StatusForbidden, "", "This Easel is open to other machines",
		"Its channel has no sign-in yet, so it is shown on loopback alone. Set <code>listen: 127.0.0.1:8321</code> "+
			"(or <code>EASEL_LISTEN</code>) and open it on the machine itself, or through a tunnel: "+
			"<code>ssh -L 8321:127.0.0.1:8321 HOST</code>. In a container, keep that address and run it with <code>--network host</code>.")
}
