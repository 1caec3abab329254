package hdp

import (
	"net/http"
	"strconv"

	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/dialect"
	"github.com/postern-io/postern/pkg/control"
)

// setting is one of the system's configurations.
type setting struct {
	ID          int    `json:"id"`
	Description string `json:"description"`
	Value       string `json:"value"`
}

func filtering(on bool) setting {
	return setting{8, `Whether IP whitelists are applied. The default is "true".`, strconv.FormatBool(on)}
}

// readSwitch answers whether lists are applied.
func (d *Dialect) readSwitch(w http.ResponseWriter, r *http.Request) error {
	c, _, err := dialect.Ask(r)
	if err != nil {
		return err
	}
	off, _, err := d.control.Switched(c)
	if err == nil {
		dialect.Answer(w, filtering(!off), "")
	}
	return err
}

// turnSwitch applies lists, or lifts them.
func (d *Dialect) turnSwitch(w http.ResponseWriter, r *http.Request) error {
	c, _, err := dialect.Ask(r)
	if err != nil {
		return err
	}
	var on bool
	shape := body.Object(body.Fields{"value": body.Choose(&on, map[string]bool{"true": true, "false": false})}, "value")
	if err := body.Read(w, r, d.limits, shape); err != nil {
		return err
	}
	c.MayOpen = !on
	result, err := d.control.Write(r.Context(), c, control.Switch(!on))
	if err != nil {
		return err
	}
	dialect.Warn(w.Header(), result)
	dialect.Answer(w, filtering(on), "")
	return nil
}
