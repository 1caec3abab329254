// Package dialect is what the APIs that speak as other systems do have in common:
// what a request may ask for beside that system's own words, what an answer says
// beside them in headers, and what a refusal of the control plane is over HTTP.
package dialect
