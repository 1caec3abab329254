package access

import "time"

// Rate is how many requests a key may make in some time.
type Rate struct {
	requests int
	per      time.Duration
	now      func() time.Time
	windows  windows[string]
}

// The defaults of NewRate.
const (
	DefaultRequests = 1000
	DefaultPer      = time.Hour
)

// NewRate allows so many requests per so long; zeros are the defaults.
func NewRate(requests int, per time.Duration, now func() time.Time) *Rate {
	if requests == 0 {
		requests = DefaultRequests
	}
	if per == 0 {
		per = DefaultPer
	}
	return &Rate{requests: requests, per: per, now: now}
}

// Allowance is what a key has left.
type Allowance struct {
	OK        bool // this request is within it
	Limit     int
	Remaining int
	Per       time.Duration
	Reset     time.Duration // from now until Remaining is Limit again
}

// Take counts a request of the key with an id.
func (r *Rate) Take(id string) Allowance {
	now := r.now()
	r.windows.mu.Lock()
	defer r.windows.mu.Unlock()
	is := r.windows.at(id, now)
	ok := is.count < r.requests
	if ok {
		// Only keys that there are come here; more than these are not awake at once.
		is = r.windows.count(id, now, bounds{r.per, 1 << 17})
	}
	return Allowance{OK: ok, Limit: r.requests, Remaining: r.requests - is.count, Per: r.per, Reset: is.until.Sub(now)}
}
