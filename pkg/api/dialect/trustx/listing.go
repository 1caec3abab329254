package trustx

import (
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/dialect"
)

// orders are what keys are sorted by, by the names of their members.
var orders = map[string]access.Order{
	"name": access.ByName, "createdDtm": access.ByCreated, "lastUpdatedDtm": access.ByUpdated,
	"expiringDtm": access.ByExpires, "status": access.ByStatus, "type": access.ByType,
}

// page is a page of keys.
type page struct {
	TotalElements    int      `json:"totalElements"`
	TotalPages       int      `json:"totalPages"`
	First            bool     `json:"first"`
	Number           int      `json:"number"`
	Sort             []sorted `json:"sort"`
	Last             bool     `json:"last"`
	NumberOfElements int      `json:"numberOfElements"`
	Pageable         pageable `json:"pageable"`
	Size             int      `json:"size"`
	Content          []key    `json:"content"`
	Empty            bool     `json:"empty"`
}

// pageable is what was asked for.
type pageable struct {
	Sort       []sorted `json:"sort"`
	Unpaged    bool     `json:"unpaged"`
	Paged      bool     `json:"paged"`
	PageSize   int      `json:"pageSize"`
	PageNumber int      `json:"pageNumber"`
	Offset     int      `json:"offset"`
}

type sorted struct {
	Direction    string `json:"direction"`
	NullHandling string `json:"nullHandling"`
	Ascending    bool   `json:"ascending"`
	Property     string `json:"property"`
	IgnoreCase   bool   `json:"ignoreCase"`
}

const mostKeys = 1000 // on one page

func (d *Dialect) listKeys(w http.ResponseWriter, r request) error {
	if err := d.may(r, access.ListKeys); err != nil {
		return err
	}
	q := dialect.QueryOf(r.Request)
	asked := access.Query{
		Name:  q.Text("name"),
		Where: func(k *access.Key) bool { return k.Tenant == r.tenant },
		Page:  q.Int("page", 0, 0, math.MaxInt32/mostKeys),
		Size:  q.Int("size", 10, 1, mostKeys),
	}
	sort := order(q, &asked)
	if err := q.Err(); err != nil {
		return err
	}
	found, total, err := d.control.Keys(r.Call, asked)
	if err != nil {
		return err
	}
	return dialect.Reply(w, http.StatusOK, pageOf(asked, sort, found, total))
}

// order reads "property", "property,asc" or "property,desc". Names are unique and
// settle what is equal otherwise, so one property is all there is to say.
func order(q *dialect.Query, into *access.Query) []sorted {
	text := q.Text("sort")
	if text == "" {
		return []sorted{}
	}
	property, direction, _ := strings.Cut(text, ",")
	by, ok := orders[property]
	if !ok {
		q.Unmeant("sort", property, slices.Sorted(maps.Keys(orders)))
	}
	into.Order = by
	switch strings.ToLower(direction) {
	case "", "asc":
		direction = "ASC"
	case "desc":
		direction, into.Descending = "DESC", true
	default:
		q.Unmeant("sort", direction, []string{"asc", "desc"})
	}
	return []sorted{{direction, "NATIVE", !into.Descending, property, false}}
}

func pageOf(q access.Query, sort []sorted, found []*access.Key, total int) page {
	pages := (total + q.Size - 1) / q.Size
	content := make([]key, len(found))
	for i, k := range found {
		content[i] = keyOf(k)
	}
	return page{
		TotalElements: total, TotalPages: pages, First: q.Page == 0, Number: q.Page, Sort: sort, Last: q.Page >= pages-1,
		NumberOfElements: len(found), Size: q.Size, Content: content, Empty: len(found) == 0,
		Pageable: pageable{sort, false, true, q.Size, q.Page, q.Page * q.Size},
	}
}
