package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// console is where a command stands: results go to out, all else to err.
type console struct {
	in          io.Reader
	out, err    io.Writer
	getenv      func(string) string
	colour      bool
	interactive bool // somebody can be asked
	watched     bool // somebody sees err as it is written
}

// format is the form a result is printed in: -o.
type format string

const (
	text     format = "text"
	jsonForm format = "json"
)

func (f *format) String() string { return string(*f) }
func (f *format) Type() string   { return "format" }

func (f *format) Set(s string) error {
	if s != string(text) && s != string(jsonForm) {
		return fmt.Errorf("want text or json")
	}
	*f = format(s)
	return nil
}

// formatFlag gives cmd -o.
func formatFlag(cmd *cobra.Command) *format {
	f := text
	cmd.Flags().VarP(&f, "output", "o", "text or json")
	complete(cmd, "output", string(text), string(jsonForm))
	return &f
}

func complete(cmd *cobra.Command, flag string, words ...string) {
	values := cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc(flag, values); err != nil {
		panic(err) // the flag is not there: a mistake in this program
	}
}

// print writes a result in the form asked for.
func (c *console) print(f format, result any, asText func(io.Writer)) error {
	if f == text {
		asText(c.out)
		return nil
	}
	e := json.NewEncoder(c.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(result)
}

// colourful reports whether colours would be seen: on a terminal whose user did
// not ask for none.
func colourful(f *os.File) bool {
	return isTerminal(f) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

type colour string

const (
	plain  colour = ""
	bold   colour = "\x1b[1m"
	red    colour = "\x1b[31m"
	green  colour = "\x1b[32m"
	yellow colour = "\x1b[33m"
)

func (c *console) paint(with colour, s string) string {
	if !c.colour || with == plain {
		return s
	}
	return string(with) + s + "\x1b[0m"
}
