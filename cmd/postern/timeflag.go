package main

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// timeFlag is a time as a flag: RFC 3339, or how far off it is, in days too.
type timeFlag struct {
	time.Time
	past bool // so far back, and not ahead
}

func (f *timeFlag) Type() string { return "time" }

func (f *timeFlag) String() string {
	if f.IsZero() {
		return ""
	}
	return f.Format(time.RFC3339)
}

func (f *timeFlag) Set(text string) error {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		f.Time = at
		return nil
	}
	far, err := span(text)
	if err != nil || far <= 0 {
		return errors.New("want a time like 2027-01-31T00:00:00Z, or how far off it is, like 36h or 30d")
	}
	if f.past {
		far = -far
	}
	f.Time = time.Now().Add(far).UTC().Truncate(time.Second)
	return nil
}

// span is a duration, which may be in days.
func span(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

// longestConfirm is how long the agent lets a change wait at most.
const longestConfirm = 24 * time.Hour

// confirmFlag is how long a change waits to be confirmed: never no time at all,
// which would make the change for good.
type confirmFlag struct{ time.Duration }

func (f *confirmFlag) Type() string { return "duration" }

func (f *confirmFlag) String() string {
	if f.Duration == 0 {
		return ""
	}
	return f.Duration.String()
}

func (f *confirmFlag) Set(text string) error {
	far, err := span(text)
	if err != nil || far <= 0 || far > longestConfirm {
		return errors.New("want a time above 0 and at most 24h, like 90s, 2h or 1d")
	}
	f.Duration = far
	return nil
}
