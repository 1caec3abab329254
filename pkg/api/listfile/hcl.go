package listfile

import (
	"io"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-io/postern/pkg/policy"
)

// HCL writes documents as blocks: system, or tenant by its id, with a block for
// each list in it, and in that one for each entry.
func HCL(w io.Writer, documents iter.Seq[Document]) error {
	before := ""
	for d := range documents {
		f := hclwrite.NewEmptyFile()
		d.block(f.Body())
		if _, err := io.WriteString(w, before); err != nil {
			return err
		}
		if _, err := f.WriteTo(w); err != nil {
			return err
		}
		before = "\n"
	}
	return nil
}

func (d Document) block(outer *hclwrite.Body) {
	if d.Tenant == "" {
		listBlocks(outer.AppendNewBlock("system", nil).Body(), d.Lists)
		return
	}
	b := outer.AppendNewBlock("tenant", []string{d.Tenant}).Body()
	if d.Record != nil {
		recordAttributes(b, d.Record)
	}
	listBlocks(b, d.Lists)
	for _, user := range slices.Sorted(maps.Keys(d.Users)) {
		if len(d.Users[user]) > 0 {
			listBlocks(b.AppendNewBlock("user", []string{user}).Body(), d.Users[user])
		}
	}
}

func recordAttributes(b *hclwrite.Body, r *policy.TenantRecord) {
	setText(b, "name", r.Name)
	if len(r.Hosts) > 0 {
		hosts := make([]cty.Value, len(r.Hosts))
		for i, host := range r.Hosts {
			hosts[i] = cty.StringVal(host)
		}
		b.SetAttributeValue("hosts", cty.ListVal(hosts))
	}
	if r.StaffOnly {
		b.SetAttributeValue("self_service", cty.False)
	}
	setText(b, "attributes", string(r.Attributes)) // as JSON: HCL would sort the keys
}

func listBlocks(b *hclwrite.Body, lists map[string]*policy.List) {
	for _, resource := range resources(lists) {
		l := lists[resource]
		inner := b.AppendNewBlock("list", []string{resource}).Body()
		if l.State != policy.ListOn {
			setText(inner, "state", l.State.String())
		}
		for i := range l.Entries {
			entry{&l.Entries[i]}.block(inner.AppendNewBlock("entry", nil).Body())
		}
	}
}

func (e entry) block(b *hclwrite.Body) {
	m := e.more()
	setText(b, "address", m.Address)
	setText(b, "action", m.Action)
	setText(b, "comment", m.Comment)
	if m.Enabled != nil {
		b.SetAttributeValue("enabled", cty.BoolVal(*m.Enabled))
	}
	if !m.Expires.IsZero() {
		setText(b, "expires", m.Expires.Format(time.RFC3339Nano))
	}
}

// setText sets what is not empty.
func setText(b *hclwrite.Body, name, text string) {
	if text != "" {
		b.SetAttributeValue(name, cty.StringVal(text))
	}
}
