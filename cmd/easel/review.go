package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/easelbot/easel/bot/web"
	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/jobs"
	"github.com/easelbot/easel/moderation/review"
	"github.com/easelbot/easel/store"
)

func reviewCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "review",
		Short: "Decide what waits for a moderator",
		Long: "Prompts and pictures that moderation holds wait for a moderator. A decision takes effect within two seconds\n" +
			"where the server runs, and otherwise when it starts.",
	}
	list := &cobra.Command{
		Use: "list", Short: "List the cases that wait", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.atDesk(cmd.Context(), func(d *jobs.Desk) error { return listCases(cmd.Context(), d, cmd.OutOrStdout()) })
		},
	}
	var out string
	show := &cobra.Command{
		Use: "show ID", Short: "Show a case, with what made it one", Args: oneCase,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.atDesk(cmd.Context(), func(d *jobs.Desk) error { return showCase(cmd.Context(), d, args[0], out, cmd.OutOrStdout()) })
		},
	}
	show.Flags().StringVar(&out, "out", "", "folder to save the pictures in that wait, to look at them")
	group(cmd, list, show, s.ownerCommand(), s.decisionCommand("approve", review.Approve), s.decisionCommand("reject", review.Reject))
	for _, c := range cmd.Commands() {
		s.configFlag(c)
		nameValues(c)
	}
	return cmd
}

func oneCase(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("name one case by its ID; `easel review list` shows them")
	}
	return nil
}

func (s *settings) decisionCommand(name string, d review.Decision) *cobra.Command {
	return &cobra.Command{
		Use: name + " ID", Short: strings.ToUpper(name[:1]) + name[1:] + " what a case holds", Args: oneCase,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.atDesk(cmd.Context(), func(desk *jobs.Desk) error {
				if err := desk.Decide(cmd.Context(), review.Scope{}, args[0], d, operator()); err != nil {
					return explainCase(args[0], err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "case %s: %s; the server acts on it within two seconds, or when it starts\n", args[0], done[d])
				return nil
			})
		},
	}
}

var done = map[review.Decision]string{review.Approve: "approved", review.Reject: "rejected"}

// ownerCommand is about who moderates the local channel in the browser.
func (s *settings) ownerCommand() *cobra.Command {
	var forget bool
	cmd := &cobra.Command{
		Use: "owner", Short: "Tell who is shown what waits in the local channel", Args: noArgs,
		Long: "In the local channel its owner is shown what waits: the first person who did anything there. With --clear nobody\n" +
			"is, and the next person who does something follows: for when the owner's browser has lost its cookie.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.atDesk(cmd.Context(), func(d *jobs.Desk) error {
				if forget {
					if err := web.Disown(cmd.Context(), d.Store); err != nil {
						return err
					}
				}
				return tellOwner(cmd.Context(), d.Store, cmd.OutOrStdout())
			})
		},
	}
	cmd.Flags().BoolVar(&forget, "clear", false, "let the next person who does something there follow")
	return cmd
}

func tellOwner(ctx context.Context, db *store.DB, stdout io.Writer) error {
	owner, seen, err := web.Owner(ctx, db)
	switch {
	case err != nil:
		return err
	case owner.ID == "":
		fmt.Fprintln(stdout, "nobody; the first person who does something in the local channel will be")
	default:
		fmt.Fprintf(stdout, "%s, last here %s\n", owner.Name, seen.Format(time.DateTime))
	}
	return nil
}

// operator is who decides on the command line.
func operator() review.Moderator {
	if u, err := user.Current(); err == nil {
		return review.Moderator{ID: "cli:" + u.Username, Name: u.Username}
	}
	return review.Moderator{ID: "cli", Name: "the operator"}
}

func explainCase(id string, err error) error {
	switch {
	case errors.Is(err, review.ErrNotFound):
		return fmt.Errorf("there is no case %s; `easel review list` shows those that wait", id)
	case errors.Is(err, review.ErrDecided):
		return fmt.Errorf("case %s has been decided already; `easel review show %s` says how", id, id)
	}
	return err
}

// atDesk opens the database beside a server that may run, or alone.
func (s *settings) atDesk(ctx context.Context, f func(*jobs.Desk) error) error {
	c, err := s.load()
	if err != nil {
		return err
	}
	file := filepath.Join(c.DataDir, databaseFile)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is nothing to review: nothing has been served from %s yet; --config or EASEL_DATA_DIR names another folder", c.DataDir)
	}
	return openDesk(ctx, c, file, f)
}

func openDesk(ctx context.Context, c configs.Config, file string, f func(*jobs.Desk) error) error {
	db, err := store.Join(ctx, file)
	if err != nil {
		return err
	}
	g, err := gallery.Open(db, filepath.Join(c.DataDir, picturesFolder))
	if err == nil {
		err = f(&jobs.Desk{Store: db, Gallery: g, Now: time.Now})
	}
	return errors.Join(err, db.Close())
}

func listCases(ctx context.Context, d *jobs.Desk, stdout io.Writer) error {
	cases, err := review.Waiting(ctx, d.Store, review.Scope{})
	if err != nil {
		return err
	}
	if len(cases) == 0 {
		fmt.Fprintln(stdout, "nothing waits for a moderator")
		return nil
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CASE\tWAITS FOR\tABOUT\tWHERE\tBY\tPROMPT")
	for _, c := range cases {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s/%s\t%s\t%q\n", c.ID, time.Since(c.Opened).Round(time.Second), c.Subject, c.Tenant, c.Channel, c.OwnerName, c.Prompt)
	}
	return table.Flush()
}

func showCase(ctx context.Context, d *jobs.Desk, id, out string, stdout io.Writer) error {
	c, err := review.Get(ctx, d.Store, review.Scope{}, id)
	if err != nil {
		return explainCase(id, err)
	}
	if err := printJSON(stdout, c); err != nil || out == "" {
		return err
	}
	files, err := d.Gallery.Sealed(ctx, c.Tenant, c.Job)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o700); err != nil {
		return err
	}
	for _, index := range slices.Sorted(maps.Keys(files)) {
		file := filepath.Join(out, fmt.Sprintf("%s-%d.png", c.ID, index+1))
		if err := os.WriteFile(file, files[index], 0o600); err != nil {
			return err
		}
		fmt.Fprintln(stdout, file)
	}
	return nil
}
