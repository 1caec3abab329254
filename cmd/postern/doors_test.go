package main

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/policy"
)

func TestCallers(t *testing.T) {
	loopback, office := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("198.51.100.7")
	byPeer := policy.Client{}
	byChain := policy.Client{Source: policy.XForwardedFor, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	tests := []struct {
		name   string
		client policy.Client
		peer   netip.Addr
		header http.Header
		want   front.Client
	}{
		{"itself", byPeer, loopback, nil, front.Client{Addr: loopback, TruePeer: true}},
		{"for-another", byPeer, loopback, http.Header{"X-Forwarded-For": {"198.51.100.7"}}, front.Client{Addr: loopback}},
		{"for-another-as-cgi-spells-it", byPeer, loopback, http.Header{"X_forwarded_for": {""}}, front.Client{Addr: loopback}},
		{"for-another-host", byPeer, loopback, http.Header{"X-Forwarded-Host": {"x"}}, front.Client{Addr: loopback}},
		{"proxied", byChain, loopback, http.Header{"X-Forwarded-For": {"198.51.100.7"}}, front.Client{Addr: office, Vouched: true}},
		{"proxied-for-nobody", byChain, loopback, nil, front.Client{Vouched: true}},
		{"past-the-proxy", byChain, office, http.Header{"X-Forwarded-For": {"127.0.0.1"}}, front.Client{Addr: office}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, callers(tt.client)(tt.peer, tt.header), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}
