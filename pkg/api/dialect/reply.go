package dialect

import (
	"encoding/json"
	"net/http"
)

// Reply writes an answer in one line, with no character escaped that need not be:
// texts go back as they came.
func Reply(w http.ResponseWriter, status int, content any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(content) // a caller that is gone needs no answer
	return nil
}
