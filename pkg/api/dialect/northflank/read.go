package northflank

import (
	"github.com/postern-io/postern/pkg/api/dialect"
	"github.com/postern-io/postern/pkg/control"
)

// read answers the ports of the service that the caller may see. Of a service that
// has none there are none: nothing else is known of it.
func (q *request) read() error {
	all, _, err := q.control.Endpoints(q.call, control.Page{})
	if err != nil {
		return err
	}
	var answer struct {
		Data struct {
			Ports []port `json:"ports"`
		} `json:"data"`
	}
	answer.Data.Ports = []port{}
	var hidden dialect.Hidden
	in := q.control.Table()
	for _, ep := range all {
		if q.has(ep) {
			p, of := q.port(ep, in.Now)
			hidden.Add(of)
			answer.Data.Ports = append(answer.Data.Ports, p)
		}
	}
	hidden.Tell(q.w.Header())
	dialect.Answer(q.w, answer, "  ")
	return nil
}
