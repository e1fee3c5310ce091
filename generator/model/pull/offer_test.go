package pull

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestDenied: what a hub refuses is told with what to do about it.
func TestDenied(t *testing.T) {
	tests := []struct {
		name   string
		status int
		code   string
		want   []string
	}{
		{"gated", http.StatusForbidden, "GatedRepo", []string{"given only to those who ask", "accept the licence at", "/settings/tokens", "HF_TOKEN"}},
		{"needs a token", http.StatusUnauthorized, "GatedRepo", []string{"given only to those who ask", "HF_TOKEN"}},
		{"hidden or absent", http.StatusUnauthorized, "RepoNotFound", []string{"there is no model ada/tiny, or only those with the right token may see it"}},
		{"absent", http.StatusNotFound, "RepoNotFound", []string{"there is no model ada/tiny"}},
		{"absent on a mirror", http.StatusNotFound, "", []string{"there is no model ada/tiny"}},
		{"no such revision", http.StatusNotFound, "RevisionNotFound", []string{`ada/tiny has no revision "main"`}},
		{"teapot", http.StatusTeapot, "", []string{"answers 418"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Error-Code", tt.code)
				w.WriteHeader(tt.status)
			}))
			t.Cleanup(s.Close)
			_, err := impatient(t, s.URL, "").Offer(t.Context(), Source{repo, "main"}, quiet)
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want one with %q", err, want)
				}
			}
		})
	}
}

// TestMirrorWithoutInfo: a mirror that has only lists and files will do, at the revision that was asked for.
func TestMirrorWithoutInfo(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != "/hub/api/models/ada/tiny/tree/refs%2Fpr%2F1" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, `[{"type":"file","path":"unet/model.onnx","size":7,"lfs":{"oid":%q,"size":7}},{"type":"file","path":"model_index.json","size":5,"oid":%q}]`, sum, oid)
	}))
	t.Cleanup(s.Close)
	o, err := impatient(t, s.URL+"/hub/", "").Offer(t.Context(), Source{repo, "refs/pr/1"}, quiet)
	if err != nil || o.Commit != "refs/pr/1" || o.Licence != "" || len(o.Files) != 2 {
		t.Errorf("%+v, %v", o, err)
	}
}

// TestListsThatLead: pages may not lead to other servers, nor on for ever.
func TestListsThatLead(t *testing.T) {
	for link, want := range map[string]string{
		`<http://elsewhere.example/x>; rel="next"`:     "goes on at another server",
		`<http://ada:secret@HOST/x>; rel="next"`:       "goes on at another server",
		`</same?again>; rel=next`:                      "does not end after 200 pages",
		`<http://elsewhere.example/>; rel="prev"`:      "no model_index.json",
		`<:>; rel="next"`:                              "goes on at another server",
		`</a>; rel="prev", <//elsewhere/b>;rel="next"`: "goes on at another server",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", strings.ReplaceAll(link, "HOST", r.Host))
			fmt.Fprint(w, "[]")
		}))
		_, err := impatient(t, s.URL, "").Offer(t.Context(), Source{repo, "main"}, quiet)
		s.Close()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", link, err, want)
		}
	}
}

func TestParseSource(t *testing.T) {
	good := map[string]Source{
		"ada/tiny":               {"ada/tiny", "main"},
		"ada/tiny@v1.0":          {"ada/tiny", "v1.0"},
		"Ada-L/t_i.ny@refs/pr/1": {"Ada-L/t_i.ny", "refs/pr/1"},
	}
	for text, want := range good {
		if got, err := ParseSource(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "tiny", "ada/", "/tiny", "ada/tiny/x", "ada/..", "../tiny", "ada/t..y", "ada/tiny@", "ada/tiny@../x", "ada/tiny@a b", "ada/nul", "ada/tiny.part", "ada/ti\nny", "ada/tiny@-x"} {
		if got, err := ParseSource(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "99999999999999999999": 0,
		"Sun, 01 Nov 2026 12:00:30 GMT": 30 * time.Second, "Sun, 01 Nov 2026 11:00:00 GMT": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestLicence(t *testing.T) {
	for l, want := range map[Licence]struct {
		free bool
		text string
	}{
		"mit": {true, "mit"}, "apache-2.0": {true, "apache-2.0"}, "": {false, "not told"}, "other": {false, "other"}, "a and mit": {false, "a and mit"},
		"creativeml-openrail-m": {false, "CreativeML OpenRAIL-M (restricts what pictures may be made for)"},
	} {
		if l.Free() != want.free || l.String() != want.text {
			t.Errorf("%q: %v, %s", string(l), l.Free(), l)
		}
	}
	if got := printable("a\x1b[2Jb\nc"); got != "a[2Jbc" {
		t.Errorf("%q", got)
	}
}

func TestKnown(t *testing.T) {
	names := map[string]bool{}
	for _, m := range Known() {
		if got, err := ParseSource(m.Source.String()); err != nil || got != m.Source {
			t.Errorf("%s: source %v, %v", m.Name, got, err)
		}
		if d := m.Defaults; names[m.Name] || m.Licence == "" || m.Size == 0 || d.Steps == 0 || d.Width%64 != 0 || d.Height%64 != 0 || d.Description == "" {
			t.Errorf("%+v", m)
		}
		names[m.Name] = true
		for _, name := range []string{m.Name, m.Source.Repo} {
			if got, ok := Find(name); !ok || got != m {
				t.Errorf("%s finds %+v", name, got)
			}
		}
	}
}

func TestSizeText(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 4_270_000_000: "4.3 GB", 246_000_000: "246 MB", 13_900_000_000: "13.9 GB"} {
		if got := SizeText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
