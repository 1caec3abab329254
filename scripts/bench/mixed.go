package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"github.com/postern-io/postern/pkg/testenv"
)

// clientShare is one frame of the client's to so many in all: its frames come in
// the same queue as the flood, as on a NIC.
const clientShare = 256

// rates are how fast strangers flood the host of a listed client: a gigabit of
// the smallest frames, and as fast as they can be made.
var rates = []struct {
	name   string
	period time.Duration // from frame to frame; 0: none
	times  int           // as many frames as a filter alone gets
}{
	{"at 1.49 Mpps", 672 * time.Nanosecond, 3},
	{"at full rate", 0, 12},
}

// mixed measures what a listed client gets through to its server while strangers
// flood the host. The frames come from one CPU and the host polls on another: a
// filter that is slower than the flood loses frames it has not seen, the
// client's among them.
func (b *bench) mixed() {
	rng := rand.New(rand.NewPCG(8, 8))
	list := withClient(b.lists.cloud(b.Stage, "aws-v4"))
	b.act(func(b *bench) {
		flows := b.strangers(rng, list)
		for i := 0; i < len(flows); i += clientShare {
			flows[i].src = client
		}
		st := newStream(b.Stage, datagram(flows[0]))
		st.fill(flows)
		for _, rate := range rates {
			b.mixedAt(st, list, rate.name, rate.period, rate.times*b.frames)
		}
	})
}

func (b *bench) mixedAt(st *stream, list []netip.Prefix, name string, period time.Duration, frames int) {
	var lanes []lane
	for _, f := range append([]filter{{name: nothing, install: installNothing}}, filters[1:]...) {
		l := lane{f, newWire(b.Stage, guarded(), st, period)}
		if f.put(b, l.wire, list) != nil {
			continue // why is said of live frames
		}
		l.pollOn(cpu())
		lanes = append(lanes, l)
	}
	b.progress("mixed traffic: %d filters, %d rounds %s", len(lanes), b.liveRounds, name)
	rounds := make([][]traffic, len(lanes))
	b.Check(pinned(0, func() {
		for range b.liveRounds {
			for i, l := range lanes {
				rounds[i] = append(rounds[i], l.mix(frames))
			}
		}
	}))
	for i, l := range lanes {
		b.addTraffic(l.name+", "+name, rounds[i])
	}
}

// traffic is what a round of mixed traffic came to: the client's share that its
// server got, and the frames sent and taken in, in millions a second.
type traffic struct{ goodput, sent, taken float64 }

func (b *bench) addTraffic(row string, rounds []traffic) {
	part := func(f func(traffic) float64) sample {
		values := make([]float64, len(rounds))
		for i, t := range rounds {
			values[i] = f(t)
		}
		return newSample(values)
	}
	b.add("mixed", row, 0, "client's goodput, %", part(func(t traffic) float64 { return 100 * t.goodput }))
	b.add("mixed", row, 0, "sent, Mpps", part(func(t traffic) float64 { return t.sent }))
	b.add("mixed", row, 0, "taken in, Mpps", part(func(t traffic) float64 { return t.taken }))
}

// mix sends frames of the flood and the client.
func (w *wire) mix(frames int) traffic {
	server := w.serve()
	defer server.Close()
	received := make(chan int)
	go func() { received <- receive(server) }()

	arrived, sent := w.arrived(), w.flood.stamped()
	elapsed, err := w.send(frames)
	w.Check(err)
	arrived, sent = w.arrived()-arrived, w.flood.stamped()-sent
	w.Check(server.SetReadDeadline(time.Now().Add(50 * time.Millisecond)))
	perSecond := 1e-6 / elapsed.Seconds()
	return traffic{
		goodput: float64(<-received) * clientShare / float64(sent),
		sent:    float64(sent) * perSecond, taken: float64(arrived) * perSecond,
	}
}

// serve is the socket of the client's server.
func (w *wire) serve() (server *net.UDPConn) {
	to := netip.AddrPortFrom(w.endpoint.Destination.Prefix.Addr(), port)
	var err error
	w.host.NS.Do(func() { server, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(to)) })
	w.Check(err)
	return server
}

// receive counts the client's datagrams until the deadline.
func receive(server *net.UDPConn) (n int) {
	buf := make([]byte, 64)
	for {
		_, from, err := server.ReadFromUDPAddrPort(buf)
		if err != nil {
			return n
		}
		if from.Addr() == client {
			n++
		}
	}
}

// pollOn has the host's end polled by a thread of its own, on one CPU.
func (w *wire) pollOn(cpu int) {
	script := fmt.Sprintf("mount -t sysfs sysfs /sys && echo 1 >/sys/class/net/%s/threaded", w.host.Name)
	w.host.NS.Run(w, "unshare", "--mount", "sh", "-c", script)
	testenv.Eventually(w, 5*time.Second, func() error {
		return pinKernelThreads("napi/"+w.host.Name+"-", cpu)
	})
}
