package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/easelbot/easel/generator/model/pull"
)

// agree asks for agreement to a licence that does not allow everything, unless it was given with the command.
func (p *pulling) agree(ctx context.Context, l pull.Licence) error {
	if l.Free() || p.flags.accept {
		return nil
	}
	page := p.hub.Page(p.wanted.Source)
	in, ok := p.cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return usagef("the licence of %s is to be agreed to: read it at %s, then add --accept-licence", p.wanted.Name, page)
	}
	fmt.Fprintf(p.cmd.ErrOrStderr(), "Read it at %s\nDo you accept it? [y/N] ", page)
	answer, err := line(ctx, in)
	if err != nil {
		return err
	}
	if answer = strings.ToLower(answer); answer != "y" && answer != "yes" {
		return errors.New("the licence was not accepted, and nothing was fetched")
	}
	return nil
}

// line reads a line, or gives up with the context.
func line(ctx context.Context, in io.Reader) (string, error) {
	read := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(in).ReadString('\n') // no answer is one as well
		read <- strings.TrimSpace(text)
	}()
	select {
	case text := <-read:
		return text, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
