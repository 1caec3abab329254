// Package policy is what an allowlist means. A State is everything an operator
// said; Compile turns it into a Table, which answers in two forms that never
// disagree: Decide, the law, for one address at a time, and Plan, the same
// answers as the sets and port classes the kernel looks up.
//
// The package is pure: no I/O, no clock, no log. Time and the host's addresses
// are arguments.
package policy
