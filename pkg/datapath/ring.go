package datapath

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
)

// readRing calls f for each record of a ring until ctx is done. It is woken for
// them, or comes once a pace where that is not 0.
func readRing[T any](ctx context.Context, ring *ebpf.Map, pace time.Duration, f func(*T)) error {
	r, err := ringbuf.NewReader(ring)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { r.Close() })
	defer func() {
		if stop() {
			r.Close()
		}
	}()
	if pace > 0 {
		r.SetDeadline(time.Now().Add(pace))
	}
	var record ringbuf.Record
	for {
		err := r.ReadInto(&record)
		switch {
		case errors.Is(err, os.ErrClosed):
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded): // all is read
			r.SetDeadline(time.Now().Add(pace))
			continue
		case err != nil:
			return err
		}
		var raw T
		if _, err := binary.Decode(record.RawSample, binary.LittleEndian, &raw); err != nil {
			return err
		}
		f(&raw)
	}
}
