package dialect

import (
	"encoding/json"
	"net/http"
)

// Answer writes a body as JSON. No character is escaped that need not be: texts go
// back as they came.
func Answer(w http.ResponseWriter, status int, content any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(content) // a caller that is gone needs no answer
	return nil
}
