package v1

import (
	"encoding/json"
	"mime"
	"net/http"
)

func (p *Problem) Error() string { return p.Detail }

// Refusal is the error that an answer with this body stands for: a *Problem, also
// where what answered is not the agent. An answer of 2xx is none.
func Refusal(resp *http.Response, body []byte) error {
	if resp.StatusCode/100 == 2 {
		return nil
	}
	p := &Problem{}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind != "application/problem+json" || json.Unmarshal(body, p) != nil {
		return &Problem{Status: resp.StatusCode, Detail: "the agent answered " + resp.Status}
	}
	return p
}
