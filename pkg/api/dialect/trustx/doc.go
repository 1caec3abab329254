// Package trustx speaks as TrustX does: a tenant's permitted addresses, which are
// the live allow entries of its "*" list, its API keys, and the tokens these are
// traded for. The tenant is the one that the host names.
//
// A refusal is {"code", "message", "traceId"}, and has {"path", "what", "remedy"}
// for each mistake of a body under "errors" where there are any. The code is a
// word: TrustX documents that there is one, not which. A body or a parameter that
// cannot be meant is 400, credentials that are not good 401, what the key may not
// do 403, a host of no tenant 404, what the guard or a file stands against 409.
//
// An empty list of addresses would open the tenant to everybody, and TrustX does
// not say whether it means that: it is refused unless force is said too.
package trustx
