package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/api/intake"
	"github.com/postern-io/postern/pkg/api/serve"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// importTime is what a part of an import gets to come, and its verdicts to be
// taken.
const importTime = 30 * time.Second

// ImportList adds entries to a list, or replaces it by them, and answers with a
// verdict on each while they are still coming.
func (n *native) ImportList(w http.ResponseWriter, r *http.Request, name v1.ListName) {
	var p v1.ImportListParams
	n.handle(w, r, &p, func(q *request) (any, error) {
		at, err := place(name)
		if err != nil {
			return nil, err
		}
		before, err := n.importable(q, at)
		if err != nil {
			return nil, err
		}
		source, err := intake.Open(r.Header, http.MaxBytesReader(w, r.Body, intake.MaxBytes))
		if err != nil {
			return nil, err
		}
		// Over HTTP/1 a server reads the request to its end, and then answers.
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.Header().Set("Content-Type", "application/x-ndjson")
		i := &importing{native: n, request: q, at: at, replace: value(p.Replace), skip: value(p.Mode) == v1.ImportModeSkipBad}
		i.know(before)
		q.sent = true
		i.run(source)
		return nil, nil
	})
}

// importable is the list that entries are to be imported into, if they may be; nil
// where there is none yet.
func (n *native) importable(q *request, at policy.Place) (*policy.List, error) {
	if err := n.mayImport(q, at); err != nil {
		return nil, err
	}
	l, err := n.Control.List(q.call, at)
	if unknown, ok := errors.AsType[*policy.Unknown](err); ok && unknown.What == "list" {
		return nil, nil
	}
	return l, err
}

func (n *native) mayImport(q *request, at policy.Place) error {
	right := access.WriteLists
	if at.Scope == policy.ScopeEndpoint {
		right = access.WriteSecurity
	}
	return n.Control.Permit(q.call, right, access.At(at))
}

// importing is an import on its way.
type importing struct {
	*native
	*request
	at            policy.Place
	replace, skip bool
	have          map[judged]bool
	entries       []policy.Entry
	summary       v1.ImportSummary
	answer        *json.Encoder
}

// judged is what makes two entries the same however they are spelled.
type judged struct {
	addr.Range
	policy.Action
}

// know remembers what the list holds already, unless that goes.
func (i *importing) know(l *policy.List) {
	i.have = map[judged]bool{}
	if l == nil || i.replace {
		return
	}
	now := i.native.Control.Table().Now
	for k := range l.Entries {
		if e := &l.Entries[k]; e.Live(now) { // others are live again when they are added
			i.have[judged{e.Range, e.Action}] = true
		}
	}
}

func (i *importing) run(source *intake.Source) {
	i.answer = json.NewEncoder(i.w)
	var err error
	for line := range source.Entries {
		if i.summary.Lines%1000 == 0 {
			if err = i.mayImport(i.request, i.at); err != nil {
				break // no time is given to who may not any more
			}
			serve.Extend(i.w, importTime)
		}
		i.summary.Lines++
		if i.answer.Encode(i.verdict(line)) != nil {
			return // nobody is there any more, and nothing is in force
		}
	}
	if err == nil {
		err = source.Err()
	}
	if err != nil {
		i.summary.Refusal = *i.problem(i.Request, err)
	} else if i.summary.Bad == 0 || i.skip {
		i.write()
	}
	_ = i.answer.Encode(struct {
		Summary *v1.ImportSummary `json:"summary"`
	}{&i.summary})
}

// verdict is what becomes of a line.
func (i *importing) verdict(line intake.Line) v1.ImportLine {
	told := v1.ImportLine{Line: line.Number, Address: line.Entry.Text}
	key := judged{line.Entry.Range, line.Entry.Action}
	switch {
	case line.What != "":
		i.summary.Bad++
		told.Verdict, told.Address, told.What, told.Remedy = v1.ImportLineVerdictBad, line.Text, line.What, line.Remedy
	case i.have[key]:
		i.summary.Same++
		told.Verdict = v1.ImportLineVerdictSame
	default:
		i.summary.Added++
		told.Verdict = v1.ImportLineVerdictAdded
		i.keep(key, line.Entry)
	}
	return told
}

// keep takes an entry, and of those that are more than a list may have the first:
// it is enough to have the import refused.
func (i *importing) keep(key judged, e policy.Entry) {
	if len(i.entries) <= i.native.Control.MaxEntries() {
		i.have[key] = true
		i.entries = append(i.entries, e)
	}
}

// write puts what was read in force, all of it or nothing.
func (i *importing) write() {
	ch := control.Add(i.at, i.entries...)
	if i.replace {
		ch = control.Replace(i.at, nil, i.entries)
	}
	result, err := i.native.Control.Write(i.Context(), i.call, ch.If(i.match))
	if err != nil {
		i.summary.Refusal = *i.problem(i.Request, err)
		return
	}
	i.summary.Applied = !result.DryRun
	if i.summary.Applied && len(result.Names) > 0 {
		i.summary.Revision = result.Revision
	}
	for k := range result.Diff.Lists {
		_, _, i.summary.Removed = tally(result.Diff.Lists[k].Entries)
	}
	i.summary.Warnings = warningsOf(result.Warnings)
	if tag := ch.Tag(result.After.State); tag != "" {
		i.summary.Etag = etag(tag)
	}
}
