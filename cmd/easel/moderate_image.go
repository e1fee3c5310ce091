package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/moderation"
	judge "github.com/easelbot/easel/moderation/image"
)

// moderateImages prints a line a picture, in the order of the files. One that cannot be judged does not end the run.
func moderateImages(cmd *cobra.Command, c configs.Config, files []string) error {
	filter, err := openFilter(c)
	if err != nil {
		return err
	}
	defer func() { _ = filter.Close() }() // the process ends, and with it what could not be freed
	for _, file := range files {
		line := judgeFile(cmd.Context(), filter, file)
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		if err := printJSON(cmd.OutOrStdout(), line); err != nil {
			return err
		}
		if r, ok := cmd.OutOrStdout().(*results); ok && r.err != nil {
			return nil // run says so
		}
	}
	return nil
}

// judgeFile is what is printed for a file: a verdictLine or an errorLine.
func judgeFile(ctx context.Context, filter *judge.Judge, file string) any {
	id, err := json.Marshal(file)
	if err != nil {
		return errorLine{Error: err.Error()}
	}
	v, err := inspectFile(ctx, filter, file)
	if err != nil {
		return errorLine{id, err.Error()}
	}
	return verdict(id, v)
}

func inspectFile(ctx context.Context, filter *judge.Judge, file string) (moderation.Verdict, error) {
	m, err := openPicture(file)
	if err != nil {
		return moderation.Verdict{}, fmt.Errorf("%s: %w", file, reason(err))
	}
	return filter.Inspect(ctx, m)
}
