package main

import (
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// journal writes down what the agent changes.
type journal struct{ log *audit.Log }

func (j journal) Change(c *policy.Commit, before, after policy.Image, commit func(audit.Note) error) error {
	rec, err := audit.Committed(c, before, after)
	if err != nil {
		return err
	}
	return j.log.Change(rec, commit)
}
