// Package dialect is what the APIs that speak as other systems do have in common:
// how a request becomes a call of the control plane, how it is routed and refused,
// and which headers tell what the other system has no words for.
//
// Every dialect takes force, confirm and reason as parameters of a write, and
// X-Postern-Force for the first. Answers bring X-Postern-Warning, once for each
// warning, and X-Postern-Hidden, which counts what a dialect does not show.
package dialect
