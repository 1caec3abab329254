package api

import (
	"fmt"
	"net/http"

	v1 "github.com/postern-io/postern/pkg/api/v1"
)

// Problem is a refusal by the API itself (RFC 9457).
type Problem = v1.Problem

func unanswerable(status int, format string, args ...any) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...)}
}
