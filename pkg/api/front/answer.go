package front

import (
	"net/http"
	"strconv"
	"time"
)

// answer is a response on its way. It says what every answer says in the moment
// it begins.
type answer struct {
	http.ResponseWriter
	before func(http.Header)
	begun  bool
}

// Unwrap is for http.ResponseController, by which streams flush.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	if !a.begun && status >= http.StatusOK {
		a.begun = true
		a.before(a.Header())
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if !a.begun {
		a.WriteHeader(http.StatusOK)
	}
	return a.ResponseWriter.Write(b)
}

// end begins an answer that has neither status nor body yet.
func (a *answer) end() {
	if !a.begun {
		a.WriteHeader(http.StatusOK)
	}
}

// setUnless sets a header that the API has not set itself.
func setUnless(h http.Header, name, value string) {
	if h.Get(name) == "" {
		h.Set(name, value)
	}
}

// seconds is d, rounded up: who comes back then must not come too early.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
