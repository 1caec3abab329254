package datapath

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/policy"
)

func TestLayout(t *testing.T) {
	set := &policy.Set{}
	dests := func(texts ...string) (ds []policy.Dest) {
		for _, p := range prefixes(texts...) {
			ds = append(ds, policy.Dest{Prefix: p, Record: 1})
		}
		return ds
	}
	tests := []struct {
		name string
		plan policy.Plan
		want layout
	}{
		{"empty", policy.Plan{}, layout{records: 1, classes: 1, failsafes: 1, exact: probes}},
		{
			"shadows-are-records",
			policy.Plan{Records: policy.RecordsOf(policy.Record{}, policy.Record{ShadowOwn: set}, policy.Record{ShadowTenant: set})},
			layout{records: 6, classes: 1, failsafes: 1, exact: probes},
		},
		{
			"failsafes-count-once",
			policy.Plan{TCP: []policy.PortClass{{Failsafe: set}, {}, {Failsafe: set}}, UDP: []policy.PortClass{{Failsafe: set}}},
			layout{records: 1, classes: 1, failsafes: 2, exact: probes},
		},
		{"places-of-each-class", policy.Plan{Classes: []policy.Class{
			{},
			{Dests: dests("192.0.2.1/32", "192.0.2.2/32", "10.0.0.0/8", "2001:db8::/64")},
			{Dests: dests("192.0.2.1/32", "192.0.2.2/32", "192.0.2.3/32", "192.0.2.4/32", "192.0.2.5/32", "2001:db8::1/128", "2001:db8::2/128", "2001:db8::3/128")},
		}}, layout{records: 1, classes: 3, failsafes: 1, exact: probes + (3 + 2) + (7 + 5) + (4 + 3)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := layoutOf(&tt.plan, layOut(tt.plan.Classes))
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(layout{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if !got.withHeadroom().holds(got) || got.holds(got.withHeadroom()) {
				t.Errorf("headroom of %+v is %+v", got, got.withHeadroom())
			}
		})
	}
}
