package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/postern-io/postern/pkg/agent"
	"github.com/postern-io/postern/pkg/datapath"
)

// options are run's flags.
type options struct {
	file, store, pins string
	level             slog.Level
	form              format
}

func newRun(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Be the agent: keep the host at what the files say",
		Long: strings.TrimSpace(`
Be the agent: keep the host at what the files say, until SIGTERM or SIGINT. The
kernel goes on enforcing when the agent ends; postern detach ends that.`),
		Args: cobra.NoArgs,
	}
	o := options{form: logForm(os.Stderr)}
	flags := cmd.Flags()
	pinFlag(cmd, &o.pins)
	flags.StringVarP(&o.file, "config", "c", "/etc/postern/postern.yaml", "the agent's file")
	flags.StringVar(&o.store, "store", "", "where state is kept (default: as the file says)")
	flags.TextVar(&o.level, "log-level", slog.LevelInfo, "debug, info, warn or error")
	flags.Var(&o.form, "log-format", "text or json")
	flags.Lookup("log-format").DefValue = "text on a terminal, else json"
	complete(cmd, "log-format", string(text), string(jsonForm))
	complete(cmd, "log-level", "debug", "info", "warn", "error")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return o.run(cmd.Context(), newLog(c.err, o.form, o.level))
	}
	return cmd
}

func logForm(f *os.File) format {
	if isTerminal(f) {
		return text
	}
	return jsonForm
}

func newLog(w io.Writer, form format, level slog.Level) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level}
	if form == jsonForm {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// run joins the parts and runs them until ctx ends or one of them fails.
func (o *options) run(ctx context.Context, log *slog.Logger) (err error) {
	// Lists are known by their files, and those by their full paths.
	file, err := filepath.Abs(o.file)
	if err != nil {
		return err
	}
	kernel, err := datapath.New(datapath.Config{PinDir: o.pins, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kernel.Close()) }()
	d := newDaemon(kernel, log)
	d.agent, err = agent.New(agent.Config{
		File:         file,
		StorePath:    o.store,
		OpenSnapshot: d.openSnapshot,
		OpenStore:    d.openStore,
		Datapath:     kernel,
		Gate:         d,
		WatchHost:    datapath.WatchHost,
		Connections:  d.connections.to,
		Log:          log,
	})
	if err != nil {
		return err
	}
	d.connections.name(d.agent.Settings().API.GuardPorts)
	if d.agent.StoreErr() != nil {
		d.plane = nil // opened or not, the agent has closed it
	}
	log.Info("starting", "config", file, "version", thisBuild().Version)
	defer d.shutdown()
	g, ctx := errgroup.WithContext(ctx)
	if err := d.listen(ctx, g); err != nil {
		return err
	}
	if d.plane != nil {
		g.Go(func() error { d.plane.flush(ctx, log); return nil })
	}
	g.Go(func() error { return kernel.Follow(ctx) })
	g.Go(func() error { return kernel.Events(ctx, d.packet) })
	g.Go(func() error { return kernel.Sights(ctx, d.sources.passed) })
	g.Go(func() error { return d.agent.Run(ctx) })
	return g.Wait()
}
