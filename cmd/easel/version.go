package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/easelbot/easel/inference"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			engine := "no ONNX Runtime (easel doctor says why)"
			if inference.Load("") == nil {
				engine = "ONNX Runtime " + inference.Version()
			}
			fmt.Fprintf(cmd.OutOrStdout(), "easel %s, %s, %s %s/%s\n", version, engine, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}
