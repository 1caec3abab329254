// Package northflank speaks as Northflank's API for the ports of a service. A port
// is an endpoint: its id is the endpoint's name, its policies the endpoint's own
// list, and the rest of its security is kept for the gate. An endpoint of all
// protocols is no port, and not shown.
//
// POST makes a service's ports what it says. A port whose id is known keeps its
// security unless the request has another, which replaces all of it; one that is
// not known becomes an endpoint of the store's that serves no tenant, judged by
// the system's lists and its own; one that is left out goes. What a file owns can
// be given another security and nothing else: to change more of it, or to leave it
// out, is refused with the file's name. policies and ip are two names of one list.
// A password or the value of a header is read as "", and written as "" it stays.
// verificationMode is and, unless it says or. Rules by path are refused: nothing here would apply them.
//
// A change that opens a port, the removal of one that was closed among them, needs
// force: no word of this API says that it is meant.
//
// Refusals are {"error": {"status", "id", "message"}}, of which only error is
// documented: status is the answer's, id a word for programs, and message has
// each mistake in a line.
package northflank
