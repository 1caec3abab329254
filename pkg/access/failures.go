package access

import (
	"net/netip"
	"time"
)

// failures refuse a subject for the rest of a minute in which it failed too often.
// The zero value is ready.
type failures[K comparable] struct{ windows[K] }

const failuresAllowed = 10

// Who would make a table forget a failure must first fail as often as it holds
// subjects, and from each network only some failures are heard in a minute.
func (f *failures[K]) bounds() bounds { return bounds{length: time.Minute, subjects: 1 << 14} }

func (f *failures[K]) add(k K, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count(k, now, f.bounds())
}

// wait is how long a subject is refused yet, 0 where it is not.
func (f *failures[K]) wait(k K, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if is := f.at(k, now); is.count >= failuresAllowed {
		return is.until.Sub(now)
	}
	return 0
}

// network is what counts as one address: of IPv6 a /64, the least that one
// customer has, with 2^64 addresses to try from.
func network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // of no address: no prefix, which is a subject too
	return p
}
