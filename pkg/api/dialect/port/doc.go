// Package port speaks as Port does: access tokens for a client's id and secret,
// and the audit log. A list of addresses nobody reads or writes by Port's API, and
// nobody does by this one.
//
// An organisation is a tenant, and a client is a key. A refusal is {"ok": false,
// "error", "message"}, with {"path", "what", "remedy"} for each mistake under
// "details". An address that is not listed is refused in the same words in plain
// text, except where Accept ranks JSON above that.
//
// Of the filters of the audit log these have a meaning here:
//
//	identifier  the event's own, as in event_12, or the name of a record
//	entity      the name of a record: tenants/acme/*
//	resources   the kinds of records: list, tenant, user, endpoint, key, filtering
//	origin      the API that was called: api, trustx, hdp, northflank, port
//	includes    the members of an event to answer with, beside its identifier
//	from, to    at or after, and before
//	action, status, limit
//
// What only Port has, by blueprint, run_id, webhookId, or a word of its own for
// origin or resources, is found in no event. There are no pages: who wants older
// events asks for those before the last one's time.
package port
