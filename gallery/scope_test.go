package gallery

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// may is the rule in Go.
func may(s Scope, e Entry) bool {
	if e.Visibility == Public {
		return true
	}
	if s.Tenant != e.Tenant {
		return false
	}
	if s.Viewer == e.Owner || e.Visibility == InTenant {
		return true
	}
	return e.Visibility == InChannel && s.Channel == e.Channel
}

// Every way to ask gives exactly what the rule allows. The names of tenants, channels and people are the same few, so
// that one taken for another is found.
func TestScope(t *testing.T) {
	g := open(t)
	name := rapid.SampledFrom([]string{"a", "b", "A", "%"})
	asked := rapid.SampledFrom([]string{"a", "b", "A", "%", "_", "", " ", "a' OR '1'='1"})
	rapid.Check(t, func(r *rapid.T) {
		e := picture("01A", 0)
		e.Tenant, e.Channel, e.Owner = name.Draw(r, "tenant"), name.Draw(r, "channel"), name.Draw(r, "owner")
		e.Visibility = rapid.SampledFrom([]Visibility{Private, InChannel, InTenant, Public}).Draw(r, "visibility")
		file := []byte(e.Tenant + e.Channel + e.Owner)
		var err error
		if e.Blob, err = g.Keep(t.Context(), file); err != nil {
			r.Fatal(err)
		}
		put(t, g, e)
		defer remove(t, g, "01A")

		s := Scope{Tenant: asked.Draw(r, "in"), Channel: asked.Draw(r, "at"), Viewer: asked.Draw(r, "by")}
		want := may(s, e)
		if got := seen(t, g, s); got != want {
			r.Errorf("seen by %+v: %v, want %v", s, got, want)
		}
		want = want && s.Tenant == e.Tenant && s.Channel == e.Channel
		if found, err := g.Recent(t.Context(), s, "", 9); err != nil || (len(found) == 1) != want {
			r.Errorf("Recent for %+v: %d entries (%v), want it there: %v", s, len(found), err, want)
		}
	})
}

// seen asks for picture 0 of job 01A in every way but Recent, and wants one answer.
func seen(t *testing.T, g *Gallery, s Scope) bool {
	t.Helper()
	list, err := g.OfJob(t.Context(), s, "01A")
	if err != nil {
		t.Fatal(err)
	}
	_, picture := g.Picture(t.Context(), s, "01A", 0)
	_, file := g.File(t.Context(), s, "01A", 0)
	for _, err := range []error{picture, file} {
		if err != nil && !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
		if (err == nil) != (len(list) == 1) {
			t.Errorf("for %+v OfJob lists %d entries, but %v", s, len(list), err)
		}
	}
	return len(list) == 1
}

func TestScopeByExample(t *testing.T) {
	g, all := open(t), []Visibility{Private, InChannel, InTenant, Public}
	for name, c := range map[string]struct {
		scope Scope
		want  []Visibility
	}{
		"the owner":                      {Scope{"t", "c", "ann"}, all},
		"the owner in another channel":   {Scope{"t", "c2", "ann"}, all},
		"the owner in no channel":        {Scope{"t", "", "ann"}, all},
		"the owner in another tenant":    {Scope{"t2", "c", "ann"}, all[3:]},
		"another in the channel":         {Scope{"t", "c", "bob"}, all[1:]},
		"another in another channel":     {Scope{"t", "c2", "bob"}, all[2:]},
		"another in another tenant":      {Scope{"t2", "c", "bob"}, all[3:]},
		"nobody in the channel":          {Scope{"t", "c", ""}, all[1:]},
		"nobody anywhere":                {Scope{}, all[3:]},
		"the tenant's name as a channel": {Scope{"c", "t", "ann"}, all[3:]},
		"a pattern":                      {Scope{"%", "%", "%"}, all[3:]},
	} {
		t.Run(name, func(t *testing.T) {
			var got []Visibility
			for _, v := range all {
				e := picture("01A", 0)
				e.Visibility = v
				var err error
				if e.Blob, err = g.Keep(t.Context(), []byte(v)); err != nil {
					t.Fatal(err)
				}
				put(t, g, e)
				if seen(t, g, c.scope) {
					got = append(got, v)
				}
				remove(t, g, "01A")
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("sees %v, want %v", got, c.want)
			}
		})
	}
}
