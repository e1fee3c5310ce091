package discord

import (
	"net/url"
	"testing"
)

func TestInvite(t *testing.T) {
	a := &Adapter{options: Options{AppID: "123"}}
	u, err := url.Parse(a.Invite())
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	// 1<<10 | 1<<11 | 1<<14 | 1<<15 | 1<<16 | 1<<38, by Discord's documentation
	if u.Host != "discord.com" || q.Get("client_id") != "123" || q.Get("scope") != "bot applications.commands" || q.Get("permissions") != "274878024704" {
		t.Errorf("the address is %s", u)
	}
}
