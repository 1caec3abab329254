package api

import (
	"encoding/json"
	"time"

	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// recordsOf is a difference by record.
func recordsOf(d policy.Difference, now time.Time) []v1.RecordDiff {
	records := []v1.RecordDiff{}
	for i := range d.Lists {
		records = append(records, listDiff(&d.Lists[i], now))
	}
	for _, t := range d.Tenants {
		records = append(records, recordDiff("tenants/"+t.Name, t.Before, t.After))
	}
	for _, e := range d.Endpoints {
		records = append(records, recordDiff("endpoints/"+e.Name, endpointRecord(e.Before, now), endpointRecord(e.After, now)))
	}
	if f := d.Filtering; f != nil {
		before, after := switched{control.SwitchTag(f.Before)}, switched{control.SwitchTag(f.After)}
		records = append(records, recordDiff("filtering", &before, &after))
	}
	for _, name := range d.Files {
		records = append(records, v1.RecordDiff{Name: name, Change: v1.RecordDiffChangeFile})
	}
	return records
}

// switched is the switch as a record.
type switched struct {
	Filtering string `json:"filtering"`
}

// listState is a list without its entries.
type stateOf struct {
	State string `json:"state"`
}

func listDiff(d *policy.ListDifference, now time.Time) v1.RecordDiff {
	told := recordDiff(d.At.String(), state(d.Before), state(d.After))
	for _, e := range d.Entries {
		switch {
		case e.Before == nil:
			told.Added = append(told.Added, entryOf(e.After, now))
		case e.After == nil:
			told.Removed = append(told.Removed, entryOf(e.Before, now))
		default:
			told.Changed = append(told.Changed, v1.EntryDiff{Before: entryOf(e.Before, now), After: entryOf(e.After, now)})
		}
	}
	return told
}

func state(l *policy.List) *stateOf {
	if l == nil {
		return nil
	}
	return &stateOf{l.State.String()}
}

// recordDiff is how a record differs; nil is none.
func recordDiff[T any](name string, before, after *T) v1.RecordDiff {
	told := v1.RecordDiff{Name: name, Change: v1.RecordDiffChangeChanged, Before: object(before), After: object(after)}
	switch {
	case before == nil:
		told.Change = v1.RecordDiffChangeAdded
	case after == nil:
		told.Change = v1.RecordDiffChangeRemoved
	}
	return told
}

func object[T any](v *T) json.RawMessage {
	if v == nil {
		return nil
	}
	text, _ := json.Marshal(v) // plain data always encodes
	return text
}
