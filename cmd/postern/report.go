package main

import (
	"cmp"
	"context"

	"github.com/postern-io/postern/pkg/agent"
	"github.com/postern-io/postern/pkg/api"
	"github.com/postern-io/postern/pkg/datapath"
	"github.com/postern-io/postern/pkg/policy"
)

// Status is how all parts stand, for the API.
func (d *daemon) Status(ctx context.Context) (api.Status, error) {
	counters, err := d.kernel.Counters()
	if err != nil {
		return api.Status{}, err
	}
	is, usage := d.agent.Status(), d.kernel.Usage()
	return api.Status{
		Version:    thisBuild().Version,
		State:      is.State,
		Why:        is.Why,
		Started:    d.started,
		Config:     is.Config,
		Revision:   is.Revision,
		Since:      is.Since,
		NextExpiry: is.NextExpiry,
		Reload:     apiReload(is.Reload),
		Count:      api.Count{Tenants: is.Tenants, Lists: is.Lists, Entries: is.Entries},
		Kernel: api.Kernel{
			Lists: usage.Lists, IndexBytes: usage.IndexBytes, MaxIndex: usage.MaxIndex, Bytes: usage.KernelBytes,
			InTries: usage.InTries, Prefixes: usage.Entries, Capacity: usage.MaxEntries,
		},
		Interfaces: apiInterfaces(d.kernel.Interfaces()),
		Problems:   d.problems(is.Problems),
		Bypasses:   d.bypasses(ctx),
		EventsLost: counters.EventsLost + d.events.Lost(),
	}, nil
}

// Traffic is what the kernel counted, by endpoint.
func (d *daemon) Traffic() (map[string]api.Traffic, error) {
	counters, err := d.kernel.Counters()
	if err != nil {
		return nil, err
	}
	traffic := make(map[string]api.Traffic, len(counters.Endpoints))
	for name, c := range counters.Endpoints {
		traffic[name] = api.Traffic{Pass: api.Volume(c.Pass), Drop: api.Volume(c.Drop), WouldDrop: api.Volume(c.WouldDrop)}
	}
	return traffic, nil
}

// DropLists gives up the lists of a file that is gone.
func (d *daemon) DropLists(ctx context.Context, owner string, by api.Order) ([]string, error) {
	return d.agent.DropLists(ctx, owner, agentBy(by))
}

// Reload reads the files now.
func (d *daemon) Reload(ctx context.Context, by api.Order, cede ...policy.Place) error {
	return d.agent.Reload(ctx, agent.ReloadOptions{Force: by.Force, Cede: cede, By: agentBy(by)})
}

func agentBy(o api.Order) agent.By { return agent.By{Author: o.Author, Reason: o.Reason, Told: o.Told} }

// problems are the files', what they say that could lock the operator out, and the
// journal's.
func (d *daemon) problems(files policy.Problems) policy.Problems {
	all := append(policy.Problems{}, files...)
	if t := d.agent.Table(); t != nil {
		all = append(all, t.State.LockOut()...)
	}
	if closed := d.closed.Load(); closed != nil {
		all = append(all, *closed...)
	}
	return append(all, d.plane.problems()...)
}

func apiReload(r agent.Reload) api.Reload {
	told := api.Reload{At: r.At, OK: r.Err == nil}
	if r.Err != nil {
		told.Error = r.Err.Error()
	}
	return told
}

func apiInterfaces(interfaces []datapath.Interface) []api.Interface {
	told := make([]api.Interface, len(interfaces))
	for n, i := range interfaces {
		told[n] = api.Interface{
			Name: i.Name, Index: i.Index, Mode: interfaceMode(i), Why: i.Why, Since: i.Since, Gap: i.Gap.Seconds(),
		}
		if i.Err != nil {
			told[n].Error = i.Err.Error()
		}
	}
	return told
}

func interfaceMode(i datapath.Interface) string { return cmp.Or(i.Mode, "none") }

func (d *daemon) bypasses(ctx context.Context) []api.Bypass {
	told := []api.Bypass{}
	t := d.agent.Table()
	if t == nil {
		return told
	}
	var guarded []string
	for _, i := range d.kernel.Interfaces() {
		if i.Mode == "" {
			continue // named, but nothing is attached
		}
		guarded = append(guarded, i.Name)
	}
	for _, b := range datapath.Bypasses(ctx, t, guarded) {
		told = append(told, api.Bypass(b))
	}
	return told
}
