// Package serve is the HTTP under every API: where it listens, how many may be
// connected, how long they may take, and who they are by the kernel's word.
package serve

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

const (
	headerTime = 5 * time.Second
	// requestTime is for a body of a megabyte over a slow line. An import, or an
	// answer that streams, asks for more by Extend.
	requestTime  = 30 * time.Second
	idleTime     = time.Minute
	shutdownTime = 2 * time.Second
	headerBytes  = 16 << 10
	streams      = 64 // at a time, of one HTTP/2 connection
)

// Serve has h answer on l until ctx ends, which also ends the requests' own
// contexts, and closes l.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           h,
		ConnContext:       note,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       requestTime,
		WriteTimeout:      requestTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    headerBytes,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: streams},
		ErrorLog:          log.New(io.Discard, "", 0), // whoever likes may cause these lines
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		shutdown(server)
	})
	err := server.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		<-done
		return nil
	}
	stop()
	return err
}

// shutdown lets answers under way finish, for a while.
func shutdown(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		server.Close()
	}
}

// Extend gives the request that w answers d from now on, to be read and to be
// answered. A stream extends itself with every part, so that a caller who takes
// none is let go.
func Extend(w http.ResponseWriter, d time.Duration) {
	c, until := http.NewResponseController(w), time.Now().Add(d)
	// Only a writer that is no connection's has no deadlines.
	_ = c.SetReadDeadline(until)
	_ = c.SetWriteDeadline(until)
}
