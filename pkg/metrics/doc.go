// Package metrics tells Prometheus what the agent does. All metrics stand in one
// table, table.go. What the kernel counts is read when somebody scrapes; what the
// gate decides is counted as it happens.
package metrics
