package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newWatch(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Show refusals as they happen",
		Long: strings.TrimSpace(`
Show refusals as they happen, a line each: packets the kernel dropped and
requests the gate answered 403. Under a flood the kernel tells some and counts
the rest; a line says how many went untold before it.`),
		Args: cobra.NoArgs,
	}
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, _ []string) error {
		resp, err := accepted(agent.WatchEvents(ctx))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		fmt.Fprintln(c.err, "watching; interrupt to end") // from here on nothing is missed
		err = events(resp.Body, func(e v1.Event) error {
			if *form == jsonForm {
				return json.NewEncoder(c.out).Encode(e)
			}
			_, err := fmt.Fprintln(c.out, c.paint(eventColour(e), eventLine(e)))
			return err
		})
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
	return cmd
}

// events reads server-sent events, until the agent ends.
func events(stream io.Reader, each func(v1.Event) error) error {
	lines := bufio.NewScanner(stream)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		var e v1.Event
		if err := json.Unmarshal(data, &e); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		if err := each(e); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	return errors.New("watch: the agent has ended")
}

func eventColour(e v1.Event) colour {
	if e.Verdict == v1.EventVerdictDeny {
		return red
	}
	return yellow
}

// eventLine is "15:04:05.000 deny kernel not-listed 198.51.100.7:4411 ->
// 203.0.113.10:443 tcp endpoint=acme-data on=eth0".
func eventLine(e v1.Event) string {
	words := []string{e.Time.Local().Format("15:04:05.000"), string(e.Verdict), string(e.Where), e.Reason}
	if from := hostPort(e.Source, e.SourcePort); from != "" {
		words = append(words, from)
	}
	if to := hostPort(e.Destination, e.DestinationPort); to != "" {
		words = append(words, "->", to)
	}
	if e.Protocol != "" {
		words = append(words, e.Protocol)
	}
	for _, fact := range []struct{ name, value string }{
		{"endpoint", e.Endpoint}, {"tenant", e.Tenant}, {"trace", e.Trace}, {"on", e.Interface},
	} {
		if fact.value != "" {
			words = append(words, fact.name+"="+fact.value)
		}
	}
	if e.Suppressed > 0 {
		words = append(words, fmt.Sprintf("(%d before it untold)", e.Suppressed))
	}
	return strings.Join(words, " ")
}

func hostPort(host string, port uint16) string {
	if host == "" || port == 0 {
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// ago is how long before now t was, in the coarsest unit that tells.
func ago(t time.Time) string {
	d := time.Since(t)
	switch {
	case d < time.Minute:
		return d.Truncate(time.Second).String() + " ago"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + "m ago"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + "h ago"
	}
	return strconv.Itoa(int(d.Hours()/24)) + "d ago"
}
