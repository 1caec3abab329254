package front

import "net/http"

// Failed tells the log of a request that failed by no fault of its own. The caller
// is told the trace, under which it stands there, and no more. One that is gone
// may have made it fail by that.
func Failed(r *http.Request, err error) {
	if p := passageOf(r.Context()); r.Context().Err() == nil {
		p.front.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "trace", p.visit.Trace, "err", err)
	}
}
