package v1

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"

	"go.yaml.in/yaml/v3"
)

// Base is the path that everything in the document stands under.
const Base = "/api/v1"

// YAML is the document as it was written.
//
//go:embed openapi.yaml
var YAML []byte

// JSON is the document for who reads no YAML. It is made once: anybody may ask for
// it, as often as they like.
var JSON = sync.OnceValues(func() ([]byte, error) {
	var doc map[string]any
	if err := yaml.Unmarshal(YAML, &doc); err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	return json.Marshal(doc)
})
