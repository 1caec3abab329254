package store_test

import (
	"testing"

	"github.com/postern-io/postern/pkg/store"
	"github.com/postern-io/postern/pkg/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, cfg store.Config) storetest.Store {
		s, err := store.Open(t.TempDir(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	})
}
