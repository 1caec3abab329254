package config

// Default is one key of the files: what it means, and what holds where it is
// left out.
type Default struct {
	Key     string // as the path to it; [] is an item of a list
	Value   string // the value as it would be written, or words that say what holds
	Meaning string
}

// Values of Default that nobody can write.
const (
	None     = "none"
	Required = "required"
)

// Defaults are every key of postern.yaml and of list files.
var Defaults = []Default{
	{"interfaces", None, "the devices to guard, by their exact names"},
	{"mode", "enforce", "`enforce`; `monitor` counts and drops nothing; `off` lets all pass"},
	{"unlisted", "open", "what no list means: `open`, or `closed`, nobody"},
	{"mapped", "text", "IPv4-mapped addresses: `text` is IPv6 as written, `unmap` reads them as IPv4"},
	{"filtering", "on", "`off` lifts system, tenant and user lists; endpoints' own stay"},
	{"mpls", "drop", "MPLS frames: `drop` or `pass`"},
	{"tunnels.from", None, "who may send tunnelled packets to a guarded address"},
	{"failsafe", None, "what the kernel never drops, whatever lists and denies say"},
	{"failsafe[].protocol", "tcp", "`tcp` or `udp`"},
	{"failsafe[].ports", Required, "`all`, a number, `first-last`, or a list of these"},
	{"failsafe[].from", Required, "the sources: addresses, prefixes, ranges"},
	{"list_dirs", None, "directories of list files, `*.yaml` and `*.yml`; relative to this file"},
	{"resources", None, "names beside managementAPI, adminAPI, dataAccess and webUI"},
	{"store.path", "/var/lib/postern", "where the last good state is kept"},
	{"api.listen", `["unix:///run/postern/api.sock"]`, "the agent's sockets"},
	{"api.group", None, "a group that may read the socket beside its owner"},
	{"metrics.listen", None, "host:port for Prometheus"},
	{"endpoints", None, "what this host serves, and to whom"},
	{"endpoints[].name", Required, "an id"},
	{"endpoints[].protocol", "tcp", "`tcp`, `udp`, or `any`: every protocol, which needs an address"},
	{"endpoints[].address", "any of this host", "an address, a prefix, or `everything`: any destination at all"},
	{"endpoints[].ports", Required, "`all`, a number, `first-last`, or a list of these; none with protocol any"},
	{"endpoints[].tenants", "all", "the tenants it serves; `[]` for a service without tenants"},
	{"endpoints[].resource", `"*"`, "whose lists apply beside the `\"*\"` lists"},
	{"endpoints[].policies", None, "the endpoint's own list: `{action, addresses}`"},
	{"endpoints[].policies[].action", "allow", "`allow` or `deny`"},
	{"endpoints[].policies[].addresses", None, "addresses, prefixes, ranges"},
	{"endpoints[].client", "peer", "who the client is: `peer`, `xff`, `forwarded`, `header:NAME`, `proxy-protocol`"},
	{"endpoints[].proxies", None, "who may speak for others; needed with every client but peer"},
	{"endpoints[].trusted_hops", None, "the client is the N-th address from the right, whoever the proxies are"},
	{"endpoints[].exhausted", "deny", "when only proxies are in the chain: `deny`, or the `peer` or `leftmost` is judged"},
	{"endpoints[].refuse", "respond with http, else drop", "`drop` in the kernel, or `respond` with 403 at the one port and address that http listens at"},
	{"endpoints[].mode", "enforce", "as mode above; the weaker of the two holds"},
	{"endpoints[].unlisted", "as unlisted above", "`open` or `closed`"},
	{"endpoints[].loopback", "judge", "`exempt` lets a true loopback peer past the lists"},
	{"endpoints[].verificationMode", "and", "`or`: another of the endpoint's own checks may stand in for its allow entries"},
	{"endpoints[].hosts", "any", "`strict`: the Host must be one of the tenant's, even of the only one"},
	{"endpoints[].http", None, "the gate: answers 403 where a packet cannot tell"},
	{"endpoints[].http.listen", Required, "host:port; the port is one of the endpoint's"},
	{"endpoints[].http.upstream", Required, "the URL that admitted requests go to"},
	{"endpoints[].http.health.path", None, "a path the gate answers itself"},
	{"endpoints[].http.health.from", None, "who may ask for it beside the proxies"},
	{"endpoints[].http.refusal.org", "show", "`hide` prints `none` for the organisation"},
	{"system", "false", "list file: `true` where the lists are the system's"},
	{"tenant", None, "list file: whose lists they are"},
	{"hosts", None, "list file: the tenant's host names; `*` or `{x}` stands for one label"},
	{"lists", None, "list file: by resource; `{}` for none"},
	{"lists.*.state", "on", "`on`; `monitor` only counts what the list would refuse; `off`"},
	{"lists.*.entries", Required, "addresses, prefixes, ranges, or mappings of the keys below"},
	{"lists.*.entries[].address", None, "an address, a prefix or a range; or else"},
	{"lists.*.entries[].startAddress", None, "the first of a range"},
	{"lists.*.entries[].endAddress", None, "the last; left out: the first alone"},
	{"lists.*.entries[].action", "allow", "`allow` or `deny`; deny wins whatever the sizes"},
	{"lists.*.entries[].comment", None, "free text"},
	{"lists.*.entries[].enabled", "true", "`false` keeps the entry without its effect"},
	{"lists.*.entries[].expires", None, "an RFC 3339 time with its zone; from then on it is over"},
	{"users", None, "list file: lists by user, then by resource"},
}
