package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"

	"github.com/postern-io/postern/pkg/api/v1"
)

// maxRefusal is more than any refusal is long: it may hold two versions of a list.
const maxRefusal = 16 << 20

// answer is what the agent says to a request.
func answer[T any](resp *http.Response, err error) (*T, error) {
	resp, err = accepted(resp, err)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	said := new(T)
	if err := json.NewDecoder(resp.Body).Decode(said); err != nil {
		return nil, fmt.Errorf("read what the agent says: %w", err)
	}
	return said, nil
}

// accepted is an answer, unless it is a refusal: then it is that as an error.
func accepted(resp *http.Response, err error) (*http.Response, error) {
	if err != nil || resp.StatusCode/100 == 2 {
		return resp, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if err != nil {
		return nil, fmt.Errorf("read what the agent says: %w", err)
	}
	return nil, v1.Refusal(resp, body)
}

const (
	mostOnPage = 1000 // the agent gives no more at once
	all        = math.MaxInt
)

// collect takes all that an answer holds from its pages, and no more than most of
// it. get asks for a page; parts says what is on it, and which is next.
func collect[P, T any](most int, get func(v1.RequestEditorFn) (*http.Response, error), parts func(*P) ([]T, string)) ([]T, error) {
	found, cursor := []T{}, ""
	for {
		limit := strconv.Itoa(min(most-len(found), mostOnPage))
		page, err := answer[P](get(query("limit", limit, "cursor", cursor)))
		if err != nil {
			return nil, err
		}
		some, next := parts(page)
		if found = append(found, some...); next == "" || len(found) >= most {
			return found, nil
		}
		cursor = next
	}
}

// query sets parameters of a request, pairs of name and value; one without a
// value is left out.
func query(pairs ...string) v1.RequestEditorFn {
	return func(_ context.Context, req *http.Request) error {
		q := req.URL.Query()
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i+1] != "" {
				q.Set(pairs[i], pairs[i+1])
			}
		}
		req.URL.RawQuery = q.Encode()
		return nil
	}
}
