// Package api is the agent's face to its operators: what it enforces, why an
// address was refused, and refusals as they happen, as JSON over HTTP under
// /api/v1. The server reads it out of a running agent; the client is what the
// postern command speaks with.
//
// On the agent's unix socket the kernel says who is calling: root and the
// agent's own user may change things, whoever else may open the socket may look.
package api
