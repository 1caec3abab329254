// Package access is who may: keys, their secrets and tokens, roles and
// permissions, and the caller that each request comes from.
//
// A key's role and permissions come down to grants, actions within a reach, and
// everything else is asked of them: what a caller may do, whether it has a
// permission by a dialect's name for it, and what it may hand on to another key.
// What no grant says is refused.
package access
