package main

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/postern-io/postern/pkg/api"
	"github.com/postern-io/postern/pkg/datapath"
	"github.com/postern-io/postern/pkg/gate"
	"github.com/postern-io/postern/pkg/metrics"
)

// packetEvent tells of a packet that was refused; on names interfaces.
func packetEvent(e datapath.Event, on func(index int) string) api.Event {
	return api.Event{
		Time:            e.Time,
		Where:           "kernel",
		Verdict:         refusalWord(!e.WouldDrop),
		Reason:          e.Reason.String(),
		Source:          addrText(e.Source.Addr()),
		SourcePort:      e.Source.Port(),
		Destination:     addrText(e.Destination.Addr()),
		DestinationPort: e.Destination.Port(),
		Protocol:        protocolName(e.Protocol),
		Interface:       on(e.Interface),
		Endpoint:        e.Endpoint,
		Suppressed:      e.Suppressed,
	}
}

// requestEvent tells of a request that was refused, or would have been.
func requestEvent(d gate.Decision, now time.Time) api.Event {
	return api.Event{
		Time:     now,
		Where:    "gate",
		Verdict:  refusalWord(d.Verdict.Enforced),
		Reason:   requestReason(d),
		Source:   addrText(d.Client),
		Endpoint: d.Endpoint,
		Tenant:   d.Tenant,
		Trace:    d.Trace,
	}
}

func requestReason(d gate.Decision) string {
	if d.Unknown {
		return "no-policy"
	}
	return d.Verdict.Reason.String()
}

func requestVerdict(d gate.Decision) metrics.Verdict {
	switch {
	case d.Refused():
		return metrics.Deny
	case !d.Verdict.Allow:
		return metrics.WouldDeny
	}
	return metrics.Allow
}

func refusalWord(enforced bool) string {
	if enforced {
		return "deny"
	}
	return "would-deny"
}

// addrText is empty where there is no address.
func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// protocolName is the word for the protocols people know, the number for others.
func protocolName(n uint8) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "icmp"
	case 6:
		return "tcp"
	case 17:
		return "udp"
	case 47:
		return "gre"
	case 58:
		return "icmpv6"
	case 132:
		return "sctp"
	}
	return "proto-" + strconv.Itoa(int(n))
}
