package agent

import "time"

// clock never runs behind the latest time it has seen or that was recorded
// before it, so that setting the host's clock back revives no expired entry. It
// stands still until the host's clock has caught up.
type clock struct {
	wall   func() time.Time
	latest time.Time
}

// Times are compared as the host's clock shows them: by the monotonic reading that
// Go keeps beside, a clock that was set back would seem to have gone on.
func (c *clock) now() time.Time {
	if t := c.wall().Round(0); t.After(c.latest) {
		c.latest = t
	}
	return c.latest
}

// behind is how far the host's clock is behind the latest time.
func (c *clock) behind() time.Duration { return c.now().Sub(c.wall().Round(0)) }
