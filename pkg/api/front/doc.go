// Package front is what a request to one of Postern's own APIs passes before the
// API sees it: its address is judged by the system's lists, then its credentials,
// then its address again by its tenant's and user's lists, then its rate.
//
// The order is the point. Who may not connect learns nothing about keys, and who
// holds no key learns nothing about tenants. What turns a request away is
// answered as the API at hand words its refusals, and told to the journal once.
package front
