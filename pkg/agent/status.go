package agent

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// The words of Status.State.
const (
	Starting = "starting" // nothing is enforced by this agent yet
	OK       = "ok"       // what the files say is enforced, and kept
	Degraded = "degraded" // Why says what is not as it should be
)

// Status is how an agent stands. What it enforces is in its Table.
type Status struct {
	State      string
	Why        string // "" where State is OK
	Config     string // the file
	Revision   uint64 // 0: none yet
	Since      time.Time
	NextExpiry time.Time // zero: never
	Reload     Reload
	Problems   policy.Problems // of the files as last read, and of what is kept without its file

	Pending []*policy.Commit // revisions that are taken back unless somebody confirms them

	Tenants, Lists, Entries int
}

// Reload is the last time the files were read.
type Reload struct {
	At  time.Time
	Err error // why they were not put in force; nil: they are
}

// logReload says once what keeps the files from being in force.
func (l *loop) logReload() {
	said := fmt.Sprint(l.reload.Err)
	if said == l.logged {
		return
	}
	l.logged = said
	found, ok := errors.AsType[policy.Problems](l.reload.Err)
	switch {
	case ok:
		for _, p := range found[:min(len(found), 20)] {
			l.cfg.Log.Error("files refused", "problem", p.String(), "of", len(found))
		}
	case l.reload.Err != nil:
		l.cfg.Log.Error("files not put in force", "err", l.reload.Err)
	}
}

// show publishes how things stand now.
func (l *loop) show() {
	s := Status{Config: l.cfg.File, Reload: l.reload, Problems: l.problems(), Why: l.why()}
	switch {
	case l.table == nil:
		s.State = Starting
	case s.Why != "":
		s.State = Degraded
	default:
		s.State = OK
	}
	if l.table != nil && !l.lost {
		s.Revision, s.Since = l.rev.Number, l.rev.Since
		s.NextExpiry = l.table.NextExpiry
		l.tally.move(l.rev.State)
		s.Tenants, s.Lists, s.Entries = l.rev.State.Tenants.Len(), l.tally.lists, l.tally.entries
	}
	for _, p := range l.pending {
		s.Pending = append(s.Pending, p.Commit)
	}
	l.publish(&view{status: s, table: l.table})
	l.notify("STATUS=" + s.line())
}

// line is for systemctl status.
func (s *Status) line() string {
	if s.State == OK {
		return fmt.Sprintf("revision %d in force: %d lists of %d tenants", s.Revision, s.Lists, s.Tenants)
	}
	if s.Why == "" {
		return s.State
	}
	return s.State + ": " + firstLine(s.Why)
}

func firstLine(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	return first
}

// why is everything that is not as it should be.
func (l *loop) why() string {
	var why []string
	add := func(err error) {
		if err != nil {
			why = append(why, err.Error())
		}
	}
	switch {
	case l.reload.Err == nil:
	case l.lost:
		why = append(why, "the files cannot be put in force, and no revision was kept: endpoints are closed")
	case l.rev != nil:
		why = append(why, fmt.Sprintf("the files cannot be put in force: revision %d stays", l.rev.Number))
	}
	add(l.snapshotErr)
	add(l.storeErr)
	add(l.commitErr)
	add(l.saveErr)
	add(l.timeErr)
	add(l.notTakenBack())
	add(l.refreshErr)
	add(l.gateErr)
	add(l.attachErr)
	if behind := l.clock.behind().Round(time.Second); behind > tolerated {
		why = append(why, fmt.Sprintf("the host's clock is %s behind the latest time recorded: entries expire by the later", behind))
	}
	return strings.Join(why, "; ")
}

// tolerated is how far a clock may step back without a word: time services do.
const tolerated = time.Minute

// problems are what is wrong with the files, and what follows from it.
func (l *loop) problems() policy.Problems {
	all := append(policy.Problems(nil), l.reading.problems...)
	all = append(all, l.refused...)
	all = append(all, l.orphaned...)
	if l.rev != nil && l.rev.State.FilteringOff {
		all = append(all, policy.Problem{
			Pos: l.rev.State.FilteringAt, Warning: true,
			What:   "filtering is off: the system's, tenants' and users' lists keep nobody out",
			Remedy: "turn it on with postern filtering on, or in the file that says so",
		})
	}
	return append(all, l.needRestart()...)
}

// lookForOrphans finds what stays in force without its file.
func (l *loop) lookForOrphans() {
	l.orphaned = nil
	if l.rev != nil {
		l.orphaned = orphans(l.rev.State, l.reading.lists, l.reload.Err == nil)
	}
}

// needRestart are the settings that only a start follows.
func (l *loop) needRestart() policy.Problems {
	if l.reading.broken {
		return nil
	}
	now, then := settingsOf(l.reading.config), l.settings
	var found policy.Problems
	for _, s := range []struct {
		key  string
		same bool
	}{
		{"store.path", l.cfg.StorePath != "" || l.storeDir == l.reading.config.StorePath},
		{"api", bytes.Equal(Settings{API: now.API}.encode(), Settings{API: then.API}.encode())},
		{"metrics.listen", now.MetricsListen == then.MetricsListen},
	} {
		if !s.same {
			found = append(found, policy.Problem{
				Pos:     policy.Pos{File: l.cfg.File},
				Warning: true,
				What:    s.key + " is not what the agent started with",
				Remedy:  "restart it",
			})
		}
	}
	return found
}
