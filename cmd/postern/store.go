package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/store"
)

func newStore(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store",
		Short: "Mend the store, without an agent",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return misused("store: want restore") },
	}
	cmd.AddCommand(newStoreRestore(c))
	return cmd
}

// restored is what came back of a store.
type restored struct {
	Revision  uint64    `json:"revision"`
	Time      time.Time `json:"time"`
	Damage    string    `json:"damage,omitempty"`
	Aside     string    `json:"aside,omitempty"` // where the damaged file is now
	Revisions int       `json:"revisions"`
	Lost      []string  `json:"lost"`
}

func newStoreRestore(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore DIR",
		Short: "Make a damaged or missing store anew, from what was last in force",
		Long: strings.TrimSpace(`
Make a damaged or missing store anew: the lists from the snapshot of what was last
in force, of keys and history whatever can still be read. The damaged file stays,
under another name. DIR is the store's directory, which no agent may have open.`),
		Args: cobra.ExactArgs(1),
	}
	yes := cmd.Flags().BoolP("yes", "y", false, "do not ask")
	form := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !isDir(args[0]) {
			return fmt.Errorf("restore %s: no such directory", args[0]) // it would be made
		}
		if !*yes && c.interactive && !c.agreed(cmd.Context(), "restore the store in "+args[0]+"?") {
			return errors.New("nothing was restored")
		}
		r, err := store.Restore(args[0])
		if err != nil {
			return err
		}
		told := restored{r.Revision, r.Time, r.Damage, r.Aside, r.Revisions, append([]string{}, r.Lost...)}
		return c.print(*form, told, func(w io.Writer) { c.writeRestored(w, told) })
	}
	return cmd
}

func (c *console) writeRestored(w io.Writer, r restored) {
	fmt.Fprintf(w, "restored as of revision %d, %s; %d revisions to go back to\n", r.Revision, moment(r.Time), r.Revisions)
	if r.Damage != "" {
		fmt.Fprintf(w, "the old file lies in %s: %s\n", r.Aside, r.Damage)
	}
	for _, what := range r.Lost {
		fmt.Fprintln(w, c.paint(yellow, "lost: "+what))
	}
}

// journalEnd is where the journal ends, as the store in dir knows it.
func journalEnd(dir string) (head audit.Note, pending []audit.Note, err error) {
	if dir == "" {
		return head, nil, nil
	}
	if _, err := os.Stat(filepath.Join(dir, store.StoreName)); err != nil {
		return head, nil, err // it would be made
	}
	s, err := store.Open(dir, store.Config{})
	if err != nil {
		return head, nil, err
	}
	defer s.Close()
	if head, err = s.Journal().Head(); err != nil {
		return head, nil, err
	}
	pending, err = s.Journal().Pending()
	return head, pending, err
}
