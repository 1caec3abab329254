package front

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"path"
	"runtime/debug"
	"strconv"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// Service is what requests are judged by. Its methods are called from many
// goroutines.
type Service interface {
	// Table is the policy in force, nil before there is one.
	Table() *policy.Table
	// Revision is its number, and whether kernel and gate hold it.
	Revision() (number uint64, enforced bool)
	// Refused tells the journal of an attempt that was turned away.
	Refused(audit.Record)
}

// Keyring knows who shows credentials. Its errors are *access.Refused.
type Keyring interface {
	Authenticate(from netip.Addr, shown access.Credentials) (*access.Caller, error)
}

// Config is what the fronts of all APIs have in common.
type Config struct {
	Service Service
	Keys    Keyring
	Rate    *access.Rate
	Client  func(peer netip.Addr, header http.Header) Client
	Log     *slog.Logger
}

// front stands before one API.
type front struct {
	Config
	way         *Way
	next        http.Handler
	crossOrigin *http.CrossOriginProtection
}

// New is next behind what a request to it must pass.
func New(c Config, way *Way, next http.Handler) http.Handler {
	return &front{Config: c, way: way, next: next, crossOrigin: http.NewCrossOriginProtection()}
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := f.visit(r)
	a := &answer{ResponseWriter: w, before: f.describe}
	h := a.Header()
	h.Set("X-Trace-Id", v.Trace)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	defer f.recover(a, r, v)
	if no := f.admit(h, r, v); no != nil {
		f.refuse(a, r, v, no)
		return
	}
	if no := crooked(r); no != nil {
		no.Trace = v.Trace
		f.way.Refuse(a, r, no)
		return
	}
	f.next.ServeHTTP(a, r.WithContext(context.WithValue(r.Context(), passageKey{}, &passage{f, v})))
	a.end()
}

// crooked refuses a path with an empty, a "." or a ".." segment. A ServeMux would
// send its caller elsewhere, in words that are not the API's.
func crooked(r *http.Request) *Refusal {
	is := r.URL.EscapedPath()
	straight := path.Clean("/" + is)
	if straight == is || straight+"/" == is {
		return nil
	}
	return &Refusal{
		Status: http.StatusNotFound, Word: "not-found", Message: r.URL.Path + ": there is nothing here; write " + straight,
	}
}

func (f *front) refuse(w http.ResponseWriter, r *http.Request, v *visit, no *refused) {
	f.way.Refuse(w, r, f.turnedAway(r, v, no))
}

// turnedAway tells the journal of a refusal.
func (f *front) turnedAway(r *http.Request, v *visit, no *refused) *Refusal {
	no.Trace = v.Trace
	f.Service.Refused(v.record(r, no))
	return &no.Refusal
}

// describe adds to an answer what is in force as it goes out: a write that it
// tells of has changed that.
func (f *front) describe(h http.Header) {
	number, enforced := f.Service.Revision()
	setUnless(h, "X-Postern-Revision", strconv.FormatUint(number, 10))
	setUnless(h, "X-Postern-Enforced", strconv.FormatBool(enforced))
}

// recover answers for a handler that panicked. What it panicked with is for the
// log: it may hold what is not the caller's to know.
func (f *front) recover(a *answer, r *http.Request, v *visit) {
	what := recover()
	if what == nil {
		return
	}
	if what != http.ErrAbortHandler {
		f.Log.Error("request panicked", "method", r.Method, "path", r.URL.Path, "trace", v.Trace,
			"panic", fmt.Sprint(what), "stack", string(debug.Stack()))
	}
	if what == http.ErrAbortHandler || a.begun {
		panic(http.ErrAbortHandler) // what was begun cannot be taken back, only broken off
	}
	f.way.Refuse(a, r, &Refusal{
		Status: http.StatusInternalServerError, Word: "internal", Trace: v.Trace,
		Message: "this should not have happened; the agent's log has the reason under trace " + v.Trace,
	})
}
