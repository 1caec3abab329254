package front

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/policy"
)

// refused is a refusal with what the journal is told beside.
type refused struct {
	Refusal
	attempt string // what was attempted: "connect"
	cause   error
}

// admit lets a request pass, or says what turned it away. What is known of the
// caller by then stands in v.
func (f *front) admit(h http.Header, r *http.Request, v *visit) *refused {
	if no := f.judge(v, policy.Query{}); no != nil {
		return no
	}
	if err := f.crossOrigin.Check(r); err != nil {
		return turnAway("connect", err, Refusal{
			Status: http.StatusForbidden, Word: "forbidden", Message: "requests from another site's pages are not taken",
		})
	}
	if no := f.authenticate(r, v); no != nil {
		return no
	}
	return f.admitCaller(h, v)
}

// admitCaller lets pass who is known by now: where its tenant's and user's lists
// do, and within its rate.
func (f *front) admitCaller(h http.Header, v *visit) *refused {
	if v.Caller == nil || v.Caller.Key == nil {
		return nil
	}
	if no := f.judge(v, policy.Query{Tenant: v.Caller.Tenant, User: v.Caller.User}); no != nil {
		return no
	}
	return f.meter(h, v.Caller)
}

// judge asks the lists about the client. Break-glass is exempt from them.
func (f *front) judge(v *visit, q policy.Query) *refused {
	if v.Exempt {
		return nil
	}
	t := f.Service.Table()
	if t == nil {
		return turnAway("connect", errors.New("policy unknown"), Refusal{
			Status: http.StatusServiceUnavailable, Word: "unavailable", Message: "policy unknown",
		})
	}
	q.Resource, q.Addr = v.Resource, v.From
	verdict := t.Decide(q)
	if verdict.Allow || !verdict.Enforced {
		return nil
	}
	return turnAway("connect", fmt.Errorf("address %s: %s", address(v.From), verdict.Reason), Refusal{
		Status: http.StatusForbidden, Word: "not-listed", Message: policy.RefusalText(v.From, q.Tenant),
	})
}

// authenticate finds the caller: by what the request shows, else by the user at
// the other end of a unix socket.
func (f *front) authenticate(r *http.Request, v *visit) *refused {
	shown, err := credentials(r)
	switch {
	case err != nil:
		return v.unproved(err)
	case shown != access.Credentials{}:
		return f.prove(v, shown)
	case v.local != nil:
		v.Caller = v.local
	case f.way.Open == nil || !f.way.Open(r):
		return v.unproved(&access.Refused{Why: access.ErrNothing})
	}
	return nil
}

// prove finds the caller by credentials.
func (f *front) prove(v *visit, shown access.Credentials) *refused {
	var err error
	if v.Caller, err = f.Keys.Authenticate(v.From, shown); err != nil {
		return v.unproved(err)
	}
	return nil
}

// unproved notes which key was named, for the journal.
func (v *visit) unproved(err error) *refused {
	if why, ok := errors.AsType[*access.Refused](err); ok {
		v.named = why.Key
	}
	return unauthenticated(err)
}

// unauthenticated tells the caller no more than that it was refused: which part of
// a guess was right is not for it to know.
func unauthenticated(err error) *refused {
	no := Refusal{Status: http.StatusUnauthorized, Word: "unauthenticated", Message: "these credentials are not good"}
	why, _ := errors.AsType[*access.Refused](err)
	switch {
	case errors.Is(err, access.ErrNothing):
		no.Message = "credentials are missing"
	case errors.Is(err, access.ErrTooMany):
		no = tooMany("too many failures", why.RetryAfter)
	}
	return turnAway("authenticate", err, no)
}

// meter counts a request of a key.
func (f *front) meter(h http.Header, who *access.Caller) *refused {
	left := f.Rate.Take(who.ID, who.Tenant)
	h.Set("X-Ratelimit-Limit", strconv.Itoa(left.Limit))
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(left.Remaining))
	h.Set("X-Ratelimit-Reset", seconds(left.Reset))
	if f.way.Period {
		h.Set("X-Ratelimit-Period", seconds(left.Per))
	}
	if left.OK {
		return nil
	}
	what := fmt.Sprintf("%d requests in %s are allowed", left.Limit, left.Per)
	return turnAway("call", errors.New(what), tooMany(what, left.Reset))
}

func tooMany(what string, wait time.Duration) Refusal {
	return Refusal{
		Status: http.StatusTooManyRequests, Word: "too-many", RetryAfter: wait,
		Message: fmt.Sprintf("%s; try again in %s seconds", what, seconds(wait)),
	}
}

func turnAway(attempt string, cause error, no Refusal) *refused {
	return &refused{no, attempt, cause}
}

// address is a in a message.
func address(a netip.Addr) string {
	if !a.IsValid() {
		return "unknown"
	}
	return a.String()
}
