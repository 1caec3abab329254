package access

import (
	"slices"
	"time"
)

// Rate is how many requests a key may make in some time, and a tenant with all its
// keys.
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

// tenantShare is how many keys' requests all of a tenant's together may make: more
// keys are not more requests without end.
const tenantShare = 10

// Allowance is what a key has left, of its own or of its tenant's.
type Allowance struct {
	OK        bool // this request is within it
	Limit     int
	Remaining int
	Per       time.Duration
	Reset     time.Duration // from now until Remaining is Limit again
}

// Take counts a request of the key with an id, of a tenant or of none. It is the
// narrower of both allowances; a request that one of them refuses costs neither.
func (r *Rate) Take(id, tenant string) Allowance {
	now := r.now()
	r.windows.mu.Lock()
	defer r.windows.mu.Unlock()
	own := meter{"key/" + id, r.requests}
	if tenant == "" {
		return r.take(now, own)
	}
	return r.take(now, own, meter{"tenant/" + tenant, r.requests * tenantShare})
}

// meter is a subject and how many requests it may make.
type meter struct {
	subject string
	limit   int
}

func (r *Rate) take(now time.Time, all ...meter) Allowance {
	ok := !slices.ContainsFunc(all, func(m meter) bool { return r.windows.at(m.subject, now).count >= m.limit })
	var least Allowance
	for i, m := range all {
		is := r.windows.at(m.subject, now)
		if ok {
			// Only keys that there are come here; more than these are not awake at once.
			is = r.windows.count(m.subject, now, bounds{r.per, 1 << 17})
		}
		left := Allowance{OK: ok, Limit: m.limit, Remaining: m.limit - is.count, Per: r.per, Reset: is.until.Sub(now)}
		if i == 0 || left.Remaining < least.Remaining {
			least = left
		}
	}
	return least
}
