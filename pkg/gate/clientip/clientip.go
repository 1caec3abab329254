// Package clientip says whose address a request is judged by. One source is
// configured, and the socket's peer comes first: a peer that is no declared
// proxy speaks for itself only, whatever it sends.
//
// What cannot be read ends the search with no address, never with the next best
// one: each guess made here is a way to turn junk into an allowed address.
package clientip

import "net/netip"

//go:generate go tool stringer -linecomment -type=Found -output found_string.go

// Source is where the client's address is read.
type Source uint8

const (
	Peer          Source = iota // the socket's peer
	XForwardedFor               // X-Forwarded-For, from declared proxies
)

// Exhausted is who the client is when every address in the chain is a proxy's,
// or none is there.
type Exhausted uint8

const (
	Nobody    Exhausted = iota
	ThePeer             // the socket's peer
	Outermost           // the first address of the chain
)

// Config is how one endpoint knows its clients.
type Config struct {
	Source    Source
	Proxies   []netip.Prefix // the peers that may speak for others
	Hops      int            // the client is the N-th address from the right; 0: the first that is no proxy's
	Exhausted Exhausted      // without Hops; with it, a chain too short is nobody's
	Unmap     bool           // read ::ffff:a.b.c.d in a header as a.b.c.d
}

// Found is how the client's address came to be known, or why it is not.
type Found uint8

const (
	NoPeer     Found = iota // no-peer
	AsPeer                  // peer
	InChain                 // chain
	AsLastPeer              // exhausted-peer
	AtLeftmost              // exhausted-leftmost
	ChainEnds               // chain-exhausted
	Unreadable              // chain-unreadable
	TooLong                 // chain-too-long
)

// Result is whom a request speaks for.
type Result struct {
	Addr    netip.Addr // invalid where nobody can be named; Found says why
	Found   Found
	Vouched bool // the peer is a declared proxy, whose headers may be believed
}

// Resolver finds clients by one Config. It is safe for use by many goroutines.
type Resolver struct {
	source    Source
	proxies   prefixes
	hops      int
	exhausted Exhausted
	unmap     bool
}

// New is the Resolver of c.
func New(c Config) *Resolver {
	return &Resolver{
		source:    c.Source,
		proxies:   newPrefixes(c.Proxies),
		hops:      c.Hops,
		exhausted: c.Exhausted,
		unmap:     c.Unmap,
	}
}

// Resolve finds the client of a request with this header from peer, an address
// as ParsePeer gives it.
func (r *Resolver) Resolve(peer netip.Addr, header map[string][]string) Result {
	if !peer.IsValid() {
		return Result{Found: NoPeer}
	}
	vouched := r.proxies.contain(peer)
	if r.source == Peer || !vouched {
		return Result{Addr: peer, Found: AsPeer, Vouched: vouched}
	}
	addr, found := r.walk(peer, chain{lines: header["X-Forwarded-For"]})
	return Result{Addr: addr, Found: found, Vouched: true}
}

// walk goes along the chain from its right end, which the nearest proxy wrote,
// to the first address that no declared proxy stands for.
func (r *Resolver) walk(peer netip.Addr, c chain) (netip.Addr, Found) {
	var last netip.Addr
	for n := 1; ; n++ {
		token, ok := c.next()
		if !ok {
			return r.exhaust(peer, last)
		}
		addr, ok := parseToken(token)
		switch {
		case n > maxTokens:
			return netip.Addr{}, TooLong
		case !ok:
			return netip.Addr{}, Unreadable
		}
		if r.unmap {
			addr = addr.Unmap()
		}
		if n == r.hops || r.hops == 0 && !r.proxies.contain(addr) {
			return addr, InChain
		}
		last = addr
	}
}

func (r *Resolver) exhaust(peer, last netip.Addr) (netip.Addr, Found) {
	switch {
	case r.hops > 0:
	case r.exhausted == ThePeer:
		return peer, AsLastPeer
	case r.exhausted == Outermost && last.IsValid():
		return last, AtLeftmost
	}
	return netip.Addr{}, ChainEnds
}
