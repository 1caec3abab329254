// Package api is the agent's own API, as JSON over HTTP under /api/v1: what it
// enforces, and why an address was refused; lists and who may change them; what was
// changed, and the way back. Its contract is the document in v1.
//
// It is thin: what is asked for is the control plane's to do, and who may ask has
// been seen to by front. Its client is what the postern command speaks with.
package api
