package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/config"
)

// started is what init found and wrote.
type started struct {
	Interface string   `json:"interface"`
	Failsafe  string   `json:"failsafe,omitempty"` // the SSH session that stays open
	Files     []string `json:"files"`
}

func newInit(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a first postern.yaml and a first list",
		Long: strings.TrimSpace(`
Write a first postern.yaml and a first list into DIR, which is /etc/postern
unless told. It guards the default route's interface, only monitors until told
to enforce, and keeps the SSH session it was typed in open whatever the lists
say.`),
		Args: cobra.MaximumNArgs(1),
	}
	iface := cmd.Flags().String("interface", "", "the interface to guard (default: where the default route leads)")
	force := cmd.Flags().Bool("force", false, "overwrite what is there")
	form := formatFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		dir := "/etc/postern"
		if len(args) > 0 {
			dir = args[0]
		}
		made, err := c.start(dir, *iface, *force)
		if err != nil {
			return err
		}
		return c.print(*form, made, func(w io.Writer) { writeStarted(w, made) })
	}
	return cmd
}

func (c *console) start(dir, iface string, force bool) (*started, error) {
	proc := os.DirFS("/proc")
	if iface == "" {
		found, err := defaultInterface(proc)
		if err != nil {
			return nil, err
		}
		iface = found
	}
	s, made := config.Starter{Interface: iface, ListDir: "lists.d"}, &started{Interface: iface}
	ssh, ok := parseSession(c.getenv("SSH_CONNECTION"))
	if !ok {
		ssh, ok = sshSession(proc, os.Getppid())
	}
	if ok {
		s.SSHClient, s.SSHPort = ssh.client, ssh.port
		made.Failsafe = fmt.Sprintf("%s to port %d", ssh.client, ssh.port)
	}
	files := []starterFile{
		{filepath.Join(dir, s.ListDir, "system.yaml"), s.List()},
		// Last, since it is what an agent starts from.
		{filepath.Join(dir, "postern.yaml"), s.Config()},
	}
	for _, f := range files {
		made.Files = append(made.Files, f.path)
	}
	return made, writeFiles(files, force)
}

type starterFile struct {
	path string
	text []byte
}

// writeFiles writes all or, where one is there already, none.
func writeFiles(files []starterFile, force bool) error {
	for _, f := range files {
		_, err := os.Lstat(f.path)
		switch {
		case force, errors.Is(err, fs.ErrNotExist):
		case err == nil:
			return fmt.Errorf("write %s: it is there already; overwrite it with --force", f.path)
		default:
			return err
		}
	}
	for _, f := range files {
		if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(f.path, f.text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func writeStarted(w io.Writer, made *started) {
	for _, f := range made.Files {
		fmt.Fprintln(w, "wrote", f)
	}
	fmt.Fprintln(w, "guards", made.Interface)
	fmt.Fprintln(w, "failsafe", cmp.Or(made.Failsafe, "none: this is no SSH session; see postern.yaml"))
}
