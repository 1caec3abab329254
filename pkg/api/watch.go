package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/postern-io/postern/pkg/api/serve"
)

// heartbeat keeps a quiet stream alive through whatever stands between.
const heartbeat = 15 * time.Second

// stream sends refusals as server-sent events, one JSON object each, until the
// caller leaves or the agent ends, or the caller may not any more: that it is asked
// at every beat.
func (f *Feed) stream(w http.ResponseWriter, r *http.Request, may func() error) {
	l := f.listen()
	defer f.leave(l)
	stream := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	// Said at once, so that a caller knows from when on nothing is missed.
	fmt.Fprint(w, ": watching\n\n")
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for stream.Flush() == nil {
		serve.Extend(w, 2*heartbeat)
		select {
		case e := <-l.events:
			data, _ := json.Marshal(e) // strings, numbers and a time always encode
			fmt.Fprintf(w, "event: refusal\ndata: %s\n\n", data)
		case <-beat.C:
			if may() != nil {
				return
			}
			fmt.Fprint(w, ": quiet\n\n")
		case <-r.Context().Done():
			return
		}
	}
}
