package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/api"
	"github.com/postern-io/postern/pkg/testenv"
)

// connectWithin is how long a connection may take before it counts as dropped:
// less than the second after which TCP asks again, so that each is one packet.
const connectWithin = 500 * time.Millisecond

// request sends r over a connection of its own from an address inside ns. An
// error is a connection that did not come about; what comes back after that is
// an answer.
func request(ns *testenv.NetNS, from netip.Addr, to netip.AddrPort, r *http.Request) (status int, body string, err error) {
	dialer := net.Dialer{
		Timeout:   connectWithin,
		LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)),
	}
	var conn net.Conn
	ns.Do(func() { conn, err = dialer.Dial("tcp", to.String()) })
	if err != nil {
		return 0, "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if err := r.Write(conn); err != nil {
		return 0, "", err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// served is what the upstream says before the client it was told of.
const served = "served "

// serveUpstream is the service behind the gate: it answers whose request it was
// told this is.
func serveUpstream(s *testenv.Stage, ns *testenv.NetNS) {
	l := ns.Listen(s, "tcp", "127.0.0.1:3000")
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, served+"%s", r.Header.Get("X-Forwarded-For"))
	})}
	go server.Serve(l)
	s.Cleanup(func() { server.Close() })
}

// get is a deed: a GET request to the endpoint, for a tenant's host.
type get struct {
	host      string // tenant
	forwarded string // X-Forwarded-For; "": none is sent
	accept    string
	body      string // that must come back
}

func (g get) do(w *world, r row) sight {
	before := w.reasons()
	status, body, err := request(w.around.NS, w.addr(r.from), w.at[r.to], g.request(w))
	switch {
	case err != nil:
		return sight{seen: dropped, because: moved(before, w.reasons())}
	case body != g.body:
		return sight{seen: fmt.Sprint(status, ", another body"), because: w.refusal(), body: body}
	case status == http.StatusOK:
		client := strings.TrimPrefix(body, served)
		because := w.explain(api.Question{Address: client, Endpoint: r.to, Tenant: g.host})
		return sight{seen: "200", because: because, body: body}
	}
	return sight{seen: strconv.Itoa(status), because: w.refusal(), body: body}
}

func (g get) request(w *world) *http.Request {
	r, err := http.NewRequestWithContext(w.Context(), http.MethodGet, "http://"+g.host+".example.com/", nil)
	w.Check(err)
	for name, value := range map[string]string{"X-Forwarded-For": g.forwarded, "Accept": g.accept} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	return r
}
