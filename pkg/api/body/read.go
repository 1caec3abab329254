// Package body reads what callers of every API send: strict JSON, within bounds
// of bytes, depth and count, into a shape that the caller of Read writes down in
// a few lines.
//
// All that is wrong with a body is found in one reading, each mistake with its
// JSON path and, where there is one, the remedy. Keys that are unknown or stand
// twice, text that is not UTF-8 and anything after the first value are mistakes
// too: whoever sent them meant something by it.
package body

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
)

// Limits bound what one body may cost.
type Limits struct {
	Bytes int64 // 0: 1 MiB
	Items int   // of one list or object; 0: 10,000
}

const (
	defaultBytes = 1 << 20
	defaultItems = 10_000
	maxDepth     = 64
	// An entry written out in full has seven members. What holds more than this
	// for each item allowed is no list of entries.
	valuesPerItem = 20
)

func (l Limits) bytes() int64 {
	if l.Bytes == 0 {
		return defaultBytes
	}
	return l.Bytes
}

func (l Limits) items() int {
	if l.Items == 0 {
		return defaultItems
	}
	return l.Items
}

// Read reads r's body into shape. Its error is a *Refusal. A body that is too
// long ends the connection.
func Read(w http.ResponseWriter, r *http.Request, limits Limits, shape Shape) error {
	if err := isJSON(r.Header); err != nil {
		return err
	}
	if r.ContentLength > limits.bytes() {
		w.Header().Set("Connection", "close")
		return tooLong(limits)
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limits.bytes()))
	if err != nil {
		return cutOff(err, limits)
	}
	return Parse(data, limits, shape)
}

// Parse reads data, whose length is the caller's to bound, into shape. Its error
// is a *Refusal.
func Parse(data []byte, limits Limits, shape Shape) error {
	p := &parser{text: string(data), items: limits.items(), values: limits.items() * valuesPerItem}
	var v value
	found := &p.findings
	if p.document(&v) {
		shape(found, &v)
	}
	return found.refusal()
}

func isJSON(h http.Header) error {
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return refusal(http.StatusUnsupportedMediaType, fmt.Sprintf("Content-Encoding is %q", coding), "send the body as it is")
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if charset := params["charset"]; err != nil || kind != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return refusal(http.StatusUnsupportedMediaType,
			fmt.Sprintf("Content-Type is %q", h.Get("Content-Type")), "send Content-Type: application/json")
	}
	return nil
}

func tooLong(limits Limits) error {
	return refusal(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is longer than %d bytes", limits.bytes()), "send less at once")
}

// cutOff is a body that did not come whole.
func cutOff(err error, limits Limits) error {
	_, long := errors.AsType[*http.MaxBytesError](err)
	switch {
	case long:
		return tooLong(limits)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refusal(http.StatusRequestTimeout, "the body took too long to come", "")
	}
	return refusal(http.StatusBadRequest, "the body ended before all of it had come", "")
}
