// Package v1 is the contract of the agent's own API, as an OpenAPI document.
package v1

import _ "embed"

// YAML is the document as it was written.
//
//go:embed openapi.yaml
var YAML []byte
