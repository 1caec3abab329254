package metrics

import "github.com/prometheus/client_golang/prometheus"

// metric is a line of the table: what Prometheus sees, and where it is read.
type metric struct {
	name, help string
	kind       prometheus.ValueType
	labels     []string
	read       func(r *reading, set func(value float64, labels ...string))
}

// reading is all that one scrape tells.
type reading struct {
	Snapshot
	requests map[key]uint64 // by endpoint
	tenants  map[key]uint64
}

// table is every metric of the agent, beside those of Go and the process.
func table() []metric {
	const gauge, counter = prometheus.GaugeValue, prometheus.CounterValue
	type set = func(float64, ...string)
	l := func(labels ...string) []string { return labels }
	return []metric{
		{
			"postern_build_info", "Always 1; the labels say which build runs.", gauge, l("version", "goversion"),
			func(r *reading, set set) { set(1, r.Version, r.GoVersion) },
		},
		{
			"postern_revision", "Number of the revision in force.", gauge, nil,
			func(r *reading, set set) { set(float64(r.Revision)) },
		},
		{
			"postern_revision_timestamp_seconds", "When the revision in force took force.", gauge, nil,
			func(r *reading, set set) { set(seconds(r.RevisionAt)) },
		},
		{
			"postern_degraded", "1 while something other than what the files say is enforced.", gauge, nil,
			func(r *reading, set set) { set(truth(r.Degraded)) },
		},
		{
			"postern_last_reload_timestamp_seconds", "When the files were last read.", gauge, nil,
			func(r *reading, set set) { set(seconds(r.ReloadAt)) },
		},
		{ // Prometheus' clock may differ from the host's; an age does not mind.
			"postern_last_reload_age_seconds", "How long ago the files were last read.", gauge, nil,
			func(r *reading, set set) { set(r.ReloadAge.Seconds()) },
		},
		{
			"postern_last_reload_successful", "1 if what was read last is in force.", gauge, nil,
			func(r *reading, set set) { set(truth(r.ReloadOK)) },
		},
		{
			"postern_problems", "Mistakes found in the files.", gauge, l("severity"),
			func(r *reading, set set) {
				set(float64(r.Errors), "error")
				set(float64(r.Warnings), "warning")
			},
		},
		{
			"postern_tenants", "Tenants known.", gauge, nil,
			func(r *reading, set set) { set(float64(r.Tenants)) },
		},
		{
			"postern_lists", "Lists in force.", gauge, nil,
			func(r *reading, set set) { set(float64(r.Lists)) },
		},
		{
			"postern_orphaned_lists", "Lists that hold although the file they stood in is gone.", gauge, nil,
			func(r *reading, set set) { set(float64(r.Orphaned)) },
		},
		{
			"postern_entries", "Entries of all lists, whatever their state.", gauge, nil,
			func(r *reading, set set) { set(float64(r.Entries)) },
		},
		{
			"postern_index_bytes", "What the lists take in the kernel's index.", gauge, nil,
			func(r *reading, set set) { set(float64(r.IndexBytes)) },
		},
		{
			"postern_index_fill_ratio", "The same, as a share of what they may take.", gauge, nil,
			func(r *reading, set set) { set(share(r.IndexBytes, r.MaxIndex)) },
		},
		{
			"postern_trie_lists", "Lists in the slower tries, for lack of room in the index.", gauge, nil,
			func(r *reading, set set) { set(float64(r.InTries)) },
		},
		{
			"postern_trie_prefixes", "Prefixes in the tries, of lists and of destinations.", gauge, nil,
			func(r *reading, set set) { set(float64(r.Prefixes)) },
		},
		{
			"postern_trie_fill_ratio", "The same, as a share of those that fit.", gauge, nil,
			func(r *reading, set set) { set(share(r.Prefixes, r.Capacity)) },
		},
		{
			"postern_kernel_memory_bytes", "Estimated memory that the policy takes in the kernel.", gauge, nil,
			func(r *reading, set set) { set(float64(r.KernelBytes)) },
		},
		{
			"postern_interface_attached", "1 where the interface is guarded, 0 where it should be.", gauge, l("interface", "mode"),
			func(r *reading, set set) {
				for _, i := range r.Interfaces {
					set(truth(i.Attached), i.Name, i.Mode)
				}
			},
		},
		{
			"postern_packets_total", "Packets judged at an endpoint.", counter, l("endpoint", "verdict"),
			func(r *reading, set set) {
				traffic(r.Traffic, set, func(v Volume) float64 { return float64(v.Packets) })
			},
		},
		{
			"postern_bytes_total", "Bytes of the packets judged at an endpoint.", counter, l("endpoint", "verdict"),
			func(r *reading, set set) {
				traffic(r.Traffic, set, func(v Volume) float64 { return float64(v.Bytes) })
			},
		},
		{
			"postern_reason_packets_total", "Packets, by the reason for what became of them.", counter, l("reason", "verdict"),
			func(r *reading, set set) {
				for _, reason := range r.Reasons {
					set(float64(reason.Packets), reason.Name, reason.Verdict)
				}
			},
		},
		{
			"postern_reason_bytes_total", "Bytes, by the reason for what became of their packets.", counter, l("reason", "verdict"),
			func(r *reading, set set) {
				for _, reason := range r.Reasons {
					set(float64(reason.Bytes), reason.Name, reason.Verdict)
				}
			},
		},
		{
			"postern_events_lost_total", "Refusals that were counted but not told as an event.", counter, l("by"),
			func(r *reading, set set) {
				for by, n := range r.EventsLost {
					set(float64(n), by)
				}
			},
		},
		{
			"postern_requests_total", "HTTP requests judged at an endpoint.", counter, l("endpoint", "verdict"),
			func(r *reading, set set) {
				for k, n := range r.requests {
					set(float64(n), k.name, k.verdict.String())
				}
			},
		},
		{
			"postern_tenant_requests_total", "HTTP requests judged for one of the busiest tenants; the rest as other.", counter, l("tenant", "verdict"),
			func(r *reading, set set) {
				for k, n := range r.tenants {
					set(float64(n), k.name, k.verdict.String())
				}
			},
		},
	}
}
