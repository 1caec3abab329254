package access

import "slices"

// MaySome reports whether there is anything at all that the caller may do a to.
// Who may not is told so, and need not be told what there is.
func (c *Caller) MaySome(a Action) bool {
	return slices.ContainsFunc(c.grants, func(g grant) bool { return g.actions.has(a) })
}
