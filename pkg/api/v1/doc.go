// Package v1 is the contract of the agent's own API: the OpenAPI document, and
// the types, the server's interface and the client generated from it.
//
// Whoever changes the API changes openapi.yaml and runs go generate; the compiler
// then names the handlers that are missing.
package v1

//go:generate go tool oapi-codegen -config generate/models.yaml openapi.yaml
//go:generate go tool oapi-codegen -config generate/client.yaml openapi.yaml
//go:generate go tool oapi-codegen -config generate/server.yaml openapi.yaml
