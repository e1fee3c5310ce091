package pull

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

const secret = "hf_thisMustNotBeSeen"

// TestTokenStaysHome: the hub gets the token with every request, the host that it redirects to never, though it is the same machine.
func TestTokenStaysHome(t *testing.T) {
	h := newFakeHub(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for key, values := range r.Header {
			if strings.Contains(strings.Join(values, " "), secret) {
				t.Errorf("another host was told %s: %v", key, values)
			}
		}
		if r.Header.Get("Referer") != "" {
			t.Errorf("another host was told the referer %q", r.Header.Get("Referer"))
		}
		h.serve(w, r, strings.TrimPrefix(r.URL.Path, "/"))
	}))
	t.Cleanup(elsewhere.Close)
	h.mischief = func(w http.ResponseWriter, r *http.Request, file string, _ int) bool {
		if got := r.Header.Get("Authorization"); got != "Bearer "+secret {
			t.Errorf("the hub was told %q", got)
		}
		http.Redirect(w, r, elsewhere.URL+"/"+file+"?signature=abc", http.StatusFound)
		return true
	}
	hub := h.hub(t, secret)
	offer, err := hub.Offer(t.Context(), Source{repo, "main"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "tiny")
	place, err := Take(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer place.Leave()
	if err := place.Fetch(t.Context(), hub, offer, nil, quiet); err != nil {
		t.Fatal(err)
	}
	h.arrived(t, dir)
}

// TestErrorsKeepSecrets: neither the token nor what redirects are signed with is in what people read.
func TestErrorsKeepSecrets(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	signed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, closed.URL+"/x?signature="+secret, http.StatusFound)
	}))
	t.Cleanup(signed.Close)
	_, err := impatient(t, signed.URL, secret).Offer(t.Context(), Source{repo, "main"}, func(ev Event) {
		if strings.Contains(ev.Cause.Error(), secret) {
			t.Errorf("%v", ev.Cause)
		}
	})
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("%v", err)
	}
}

func TestTokenNeedsEncryption(t *testing.T) {
	for address, want := range map[string]bool{"http://mirror.example": true, "https://mirror.example": false, "http://127.0.0.1:80": false, "": false} {
		hub, err := NewHub(address, secret)
		if err != nil || hub.Withheld() != want {
			t.Errorf("%q: withheld %v, %v; want %v", address, hub.Withheld(), err, want)
		}
		if token := hub.client.Transport.(*doorkeeper).token; (token == "") != want {
			t.Errorf("%q gets the token %q", address, token)
		}
	}
}

func TestNewHubRefuses(t *testing.T) {
	for _, tt := range []struct{ address, token, want string }{
		{"hub.example", "", "must be like"},
		{"ftp://hub.example", "", "must be like"},
		{"https://", "", "must be like"},
		{"https://hub.example?x=" + secret, "", "must be like"},
		{"https://ada:" + secret + "@hub.example", "", "must not hold a user"},
		{"", secret + "\n", "copy it again"},
		{"", "hf_ä" + secret, "copy it again"},
	} {
		if _, err := NewHub(tt.address, tt.token); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: error %v, want one with %q and without secrets", tt.address, err, tt.want)
		}
	}
}

// TestDowngrade: an encrypted hub cannot send us on to an address that is not.
func TestDowngrade(t *testing.T) {
	open := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was followed") }))
	t.Cleanup(open.Close)
	hub := httptest.NewTLSServer(http.RedirectHandler(open.URL, http.StatusFound))
	t.Cleanup(hub.Close)
	h := impatient(t, hub.URL, "")
	h.client.Transport.(*doorkeeper).next = hub.Client().Transport
	if _, err := h.Offer(t.Context(), Source{repo, "main"}, quiet); err == nil || !strings.Contains(err.Error(), "encrypted") {
		t.Errorf("%v", err)
	}
}
