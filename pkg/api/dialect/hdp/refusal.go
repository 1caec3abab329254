package hdp

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/postern-io/postern/pkg/api/dialect"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/policy"
)

// failure is how errors are told.
type failure struct {
	Error struct {
		Code    int     `json:"code"`
		Message message `json:"message"`
	} `json:"error"`
}

type message struct {
	Lang  string `json:"lang"`
	Value string `json:"value"`
}

// What is told of a tenant and a user that there are not.
const (
	noTenant = "no-tenant"
	noUser   = "no-user"
)

// codes are what refusals are called here; the package's doc says what they mean.
var codes = map[string]int{
	"unauthenticated":    222206007,
	noTenant:             222208720,
	noUser:               222208721,
	"not-found":          222208722,
	"method-not-allowed": 222208723,
	"invalid":            222208731,
	"unprocessable":      222208732,
	"forbidden":          222208741,
	"not-listed":         222208742,
	"too-many":           222208743,
	"file-owned":         222208751,
	"locks-out":          222208752,
	"would-open":         222208753,
	"pending":            222208754,
	"conflict":           222208755,
	"changed":            222208755,
	"full":               222208756,
}

// envelope words a refusal.
func envelope(r *http.Request, no *front.Refusal) (contentType string, content any) {
	var f failure
	f.Error.Message.Lang = "en-US"
	f.Error.Code, f.Error.Message.Value = codes[no.Word], no.Message
	switch {
	case no.Word == "unauthenticated":
		f.Error.Message.Value = "Invalid user ID or password."
	case f.Error.Code == 0:
		f.Error.Code, f.Error.Message.Value = trouble(r.Method)
	}
	return "application/json", f
}

// trouble is what is told where the fault is not the caller's.
func trouble(method string) (code int, text string) {
	code, doing := 222208713, "saving"
	switch method {
	case http.MethodGet, http.MethodHead:
		code, doing = 222208712, "getting"
	case http.MethodDelete:
		code, doing = 222208715, "deleting"
	}
	return code, fmt.Sprintf("Problem %s WhiteList IPs at this time. Please try again at another time.", doing)
}

// worded is an operation that says of a tenant or user that there is not what this
// API does.
func worded(do dialect.Operation) dialect.Operation {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := do(w, r)
		unknown, ok := errors.AsType[*policy.Unknown](err)
		if !ok {
			return err
		}
		no := dialect.Refusal(err, front.CallOf(r.Context()).Trace)
		no.Status = http.StatusNotFound
		switch unknown.What {
		case "tenant":
			no.Word, no.Message = noTenant, fmt.Sprintf("tenant id : %s does not exist.", unknown.Name)
		case "user":
			no.Word, no.Message = noUser, fmt.Sprintf("user : %s does not exist.", unknown.Name)
		}
		return no
	}
}
