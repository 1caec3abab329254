package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newListAdd(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add LIST ENTRY...",
		Short: "Add entries",
		Long: strings.TrimSpace(`
Add entries: addresses, prefixes or ranges first-last. The list is made where
there is none; an entry that is there already stays as it is.`),
		Args: cobra.MinimumNArgs(2),
	}
	var like v1.EntrySpec
	var expires timeFlag
	flags := cmd.Flags()
	flags.StringVar(&like.Comment, "comment", "", "for people")
	flags.Var(&expires, "expires", "when they stop counting: a time, or how long from now, 30d for one")
	deny := flags.Bool("deny", false, "refuse these addresses, whatever else holds them")
	write, form := writeFlags(cmd), formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		like.Expires = expires.Time
		if *deny {
			like.Action = v1.ActionDeny
		}
		batch := v1.EntryBatch{Entries: entriesOf(args[1:], like)}
		resp, err := agent.AddEntries(ctx, args[0], nil, batch, write.edit)
		return c.written(*form, resp, err)
	})
	return cmd
}

func newListRemove(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove LIST ENTRY...",
		Short: "Remove entries",
		Long: strings.TrimSpace(`
Remove entries, of which each must be there: addresses are compared in canonical
form, not by what they hold.`),
		Args: cobra.MinimumNArgs(2),
	}
	deny := cmd.Flags().Bool("deny", false, "the deny entry, where the list has both")
	write, form := writeFlags(cmd), formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		p := &v1.RemoveEntriesParams{Address: args[1:]}
		if *deny {
			p.Action = new(v1.ActionDeny)
		}
		resp, err := agent.RemoveEntries(ctx, args[0], p, write.edit)
		return c.written(*form, resp, err)
	})
	return cmd
}

func newListSet(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set LIST -f FILE",
		Short: "Make a list hold what a file says, and nothing else",
		Long: strings.TrimSpace(`
Make a list hold what a file says, and nothing else: an address a line, with a
comment behind a #; or in JSON an array of entries, or an object with state and
entries. Without a state the list keeps the one it has.`),
		Args: cobra.ExactArgs(1),
	}
	file := cmd.Flags().StringP("file", "f", "", "the file, or - for stdin")
	write, form := writeFlags(cmd), formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		if *file == "" {
			return misused("lists set: want -f FILE")
		}
		data, err := c.read(*file)
		if err != nil {
			return err
		}
		next, err := readContent(data)
		if err != nil {
			return fmt.Errorf("%s: %w", *file, err)
		}
		return c.replace(ctx, agent, args[0], next, write, *form)
	})
	return cmd
}

func newListClear(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "clear LIST",
		Short: "Remove every entry: the list restricts nothing then",
		Args:  cobra.ExactArgs(1),
	}
	write, form := writeFlags(cmd), formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		return c.replace(ctx, agent, args[0], listContent{Entries: json.RawMessage("[]")}, write, *form)
	})
	return cmd
}

// listContent is what a list is to hold. Its entries are the agent's to read: it
// tells every mistake, by its path.
type listContent struct {
	State   v1.ListState    `json:"state,omitempty"`
	Entries json.RawMessage `json:"entries"`
}

// replace gives a list new content. A state that is not said stays as it is, and
// so the list must not change meanwhile.
func (c *console) replace(ctx context.Context, agent *v1.Client, list string, next listContent, write *writing, form format) error {
	is, err := answer[v1.WholeList](agent.GetList(ctx, list, nil))
	switch {
	case isNotFound(err):
		is = &v1.WholeList{}
	case err != nil:
		return err
	}
	next.State = cmp.Or(next.State, is.State)
	body, err := json.Marshal(next)
	if err != nil {
		return err
	}
	resp, err := agent.PutListWithBody(ctx, list, nil, "application/json", bytes.NewReader(body), write.edit, ifUnchanged(is.Etag))
	return c.written(form, resp, err)
}

// readContent reads JSON, or an address a line.
func readContent(data []byte) (listContent, error) {
	var l listContent
	switch text := bytes.TrimSpace(data); {
	case len(text) == 0:
		return l, errors.New("it is empty; postern lists clear removes all entries")
	case text[0] == '[':
		l.Entries = text
		return l, nil
	case text[0] == '{':
		return l, strict(text, &l)
	}
	entries := []v1.EntrySpec{}
	for line := range strings.Lines(string(data)) {
		address, comment, _ := strings.Cut(line, "#")
		if address = strings.TrimSpace(address); address != "" {
			entries = append(entries, v1.EntrySpec{Address: address, Comment: strings.TrimSpace(comment)})
		}
	}
	var err error
	l.Entries, err = json.Marshal(entries)
	return l, err
}

// strict reads JSON in which nothing is unknown.
func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON")
	}
	return nil
}
