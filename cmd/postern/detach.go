package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/datapath"
)

// released is an interface that is guarded no more.
type released struct {
	Name  string `json:"name,omitempty"` // "" where it is in another network namespace
	Index int    `json:"index"`
	NetNS uint64 `json:"netns"` // inode number
}

func newDetach(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "detach",
		Short: "End enforcement: take the program off every interface",
		Long: strings.TrimSpace(`
End enforcement: take the program off every interface. The kernel goes on
enforcing when an agent ends; this is how it stops. It works without an agent,
and refuses while one runs.`),
		Args: cobra.NoArgs,
	}
	var pins string
	pinFlag(cmd, &pins)
	form := formatFlag(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		if _, err := os.Stat(pins); pins != "" && err != nil {
			// Mistyped, perhaps: what is pinned elsewhere would go on enforcing.
			return fmt.Errorf("detach: %w; name the directory the agent ran with", err)
		}
		was, err := datapath.Detach(datapath.Config{PinDir: pins})
		all := make([]released, len(was))
		for i, r := range was {
			all[i] = released(r)
		}
		if err != nil && len(all) == 0 {
			return err
		}
		// What was released is told even where the rest could not be.
		if printErr := c.print(*form, all, func(w io.Writer) { writeReleased(w, all) }); err == nil {
			err = printErr
		}
		return err
	}
	return cmd
}

func pinFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "pin-dir", "", "where the kernel's state is pinned (default /sys/fs/bpf/postern)")
}

func writeReleased(w io.Writer, all []released) {
	if len(all) == 0 {
		fmt.Fprintln(w, "nothing was attached")
	}
	for _, r := range all {
		if r.Name == "" {
			fmt.Fprintf(w, "released interface %d of network namespace %d\n", r.Index, r.NetNS)
			continue
		}
		fmt.Fprintf(w, "released %s\n", r.Name)
	}
}
