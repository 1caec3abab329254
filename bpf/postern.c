/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The allowlist at the NIC. A packet is parsed, matched to an endpoint and its
 * source judged; each step gives a reason. Only run() turns reasons into
 * verdicts, and whatever it does not know it drops.
 */
#include "maps.h"
#include "parse.h"
#include "lookup.h"
#include "match.h"

#define EVENT_BURST 4 /* a jiffy and CPU: 1,000 a second with HZ=250 */
#define PMTU_BURST 4
#define SIGHT_BURST 4

#define TCP_FLAGS 13 /* offset */
#define TCP_SYN 0x02
#define TCP_ACK 0x10

struct verdict {
	enum reason reason;
	bool would; /* the law refuses, enforcement does not */
	struct found found;
};

static __always_inline bool is_drop(enum reason reason)
{
	return reason >= MPLS_DROPPED;
}

static __always_inline bool is_defect(enum reason reason)
{
	return reason >= TRUNCATED && reason <= OVERLAP;
}

static __always_inline struct limit *limit_at(__u32 which, __u32 burst)
{
	struct limit *limit = bpf_map_lookup_elem(&limits, &which);
	__u64 now = bpf_jiffies64(); /* a plain load, no clock */

	if (!limit)
		return NULL;
	if (limit->jiffy != now) {
		limit->jiffy = now;
		limit->used = 0;
	}
	if (limit->used < burst) {
		limit->used++;
		return limit;
	}
	limit->pending++;
	limit->refused++;
	return NULL;
}

static __always_inline struct port *port_at(__u32 bank, const struct packet *p)
{
	__u32 i = bank << 17 | (p->protocol == IPPROTO_UDP) << 16 | p->dport;

	return bpf_map_lookup_elem(&ports, &i);
}

static __always_inline bool is_failsafe(__u32 bank, enum family family,
					__u32 index, const __u64 *src)
{
	struct words *words;

	if (!index || index >= failsafes_cap)
		return false;
	index += bank * failsafes_cap;
	words = bpf_map_lookup_elem(&failsafes, &index);
	return words && answer(family, words->word[family], src);
}

/* Whether an ICMP error quotes a packet that the endpoint could have sent: from
 * its address, to a peer that it admits. */
static __always_inline bool quotes_ours(struct xdp_md *ctx, enum family family,
					const struct packet *p,
					const struct record *record)
{
	__u64 src[2] = {}, dst[2] = {};
	__u32 off = p->off + ICMP_FIXED;

	if (family == V4) {
		struct iphdr *ip = at(ctx, off, sizeof(*ip));

		if (!ip)
			return false;
		src[0] = ip->saddr;
		dst[0] = ip->daddr;
	} else {
		struct ipv6hdr *ip = at(ctx, off, sizeof(*ip));

		if (!ip)
			return false;
		__builtin_memcpy(src, &ip->saddr, sizeof(src));
		__builtin_memcpy(dst, &ip->daddr, sizeof(dst));
	}
	return src[0] == p->dst[0] && src[1] == p->dst[1] &&
	       judge_words(family, record, dst) == LISTED;
}

/* A "packet too big" passes under a limit; but where an endpoint has every
 * protocol, one that quotes a stranger's packet is judged like other ICMP. */
static __always_inline enum reason path_mtu(struct xdp_md *ctx, __u32 bank,
					    const struct head *head,
					    enum family family,
					    const struct packet *p)
{
	struct found found;

	if (!find(bank, family, head->other, p->dst, &found))
		return BROKEN;
	if (!found.record)
		return PATH_MTU;
	return quotes_ours(ctx, family, p, found.record) ? PATH_MTU :
							   NO_ANY_ENDPOINT;
}

/* Later fragments and tunnels: judged by the union of the address's endpoints
 * and whoever else may send such. */
static __always_inline enum reason judge_union(__u32 bank, enum family family,
					       const struct head *head,
					       enum reason what,
					       const struct packet *p,
					       struct verdict *v)
{
	__u64 word = what == TUNNEL ? head->tunnels[family] :
				      head->failsafe[family];
	enum reason listed = what == TUNNEL ? TUNNEL_LISTED : FRAGMENT_LISTED;
	enum reason reason;

	if (answer(family, word, p->src))
		return listed;
	reason = judge(bank, family, &v->found, p->src, &v->would);
	if (reason == BROKEN)
		return reason;
	return reason == LISTED ? listed : what;
}

static __always_inline enum reason decide(struct xdp_md *ctx, __u32 bank,
					  const struct head *head,
					  enum family family, struct packet *p,
					  struct verdict *v)
{
	enum reason what = family == V4 ? parse4(ctx, p) : parse6(ctx, p);
	__u32 class;
	struct port *port;

	if (what == NO_REASON)
		what = parse_transport(ctx, family, p);
	if (what == PATH_MTU)
		what = path_mtu(ctx, bank, head, family, p);

	if (what == NO_ENDPOINT) {
		port = port_at(bank, p);
		if (!port)
			return BROKEN;
		if (is_failsafe(bank, family, port->failsafe, p->src))
			return FAILSAFE;
		class = port->class;
	} else if (what == NO_ANY_ENDPOINT) {
		class = head->other;
	} else if (is_defect(what) || what == FRAGMENT || what == TUNNEL ||
		   what == PATH_MTU) {
		class = head->guard;
	} else {
		return what;
	}

	if (!find(bank, family, class, p->dst, &v->found))
		return BROKEN;
	if (!v->found.record) {
		/* a datagram to everybody could be for any endpoint's port */
		if (class && is_defect(what) && is_broadcast(family, p->dst))
			return what;
		return what == NO_ANY_ENDPOINT ? what : NO_ENDPOINT;
	}
	if (v->found.record->mode == OFF)
		return ENDPOINT_OFF;
	switch (what) {
	case NO_ENDPOINT:
	case NO_ANY_ENDPOINT:
		return judge(bank, family, &v->found, p->src, &v->would);
	case FRAGMENT:
	case TUNNEL:
		return judge_union(bank, family, head, what, p, v);
	case PATH_MTU:
		return limit_at(PMTU, PMTU_BURST) ? what : PATH_MTU_LIMIT;
	default:
		return what;
	}
}

static __always_inline void add(struct tally *tally, __u32 bytes)
{
	tally->packets++;
	tally->bytes += bytes;
}

static __always_inline bool is_seen(const struct verdict *v)
{
	return v->reason == LISTED || v->reason == ENDPOINT_OFF;
}

static __always_inline bool opens(struct xdp_md *ctx, const struct packet *p)
{
	__u8 *flags = at(ctx, p->off + TCP_FLAGS, sizeof(*flags));

	return p->protocol == IPPROTO_TCP && flags &&
	       (*flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* Who passes: whoever opens a connection, and of the other packets the first in
 * a jiffy at each endpoint. In a flood that is one look at the slot just counted
 * in. The agent comes for them by itself: to wake it would cost more than the
 * packet. */
static __always_inline void note(struct xdp_md *ctx, const struct packet *p,
				 const struct verdict *v, struct slot *slot)
{
	__u64 now = bpf_jiffies64();
	struct sight *sight;

	if (slot->told == now && !opens(ctx, p))
		return;
	slot->told = now;
	if (!limit_at(SIGHTS, SIGHT_BURST))
		return;
	sight = bpf_ringbuf_reserve(&sights, sizeof(*sight), 0);
	if (!sight)
		return;
	sight->src[0] = p->src[0];
	sight->src[1] = p->src[1];
	sight->number = v->found.record->number;
	sight->version = p->version;
	__builtin_memset(sight->pad, 0, sizeof(sight->pad));
	bpf_ringbuf_submit(sight, BPF_RB_NO_WAKEUP);
}

static __always_inline void count(struct xdp_md *ctx, const struct packet *p,
				  const struct verdict *v)
{
	__u32 i = v->reason + (v->would ? REASONS : 0);
	struct tally *tally = bpf_map_lookup_elem(&reasons, &i);
	struct slot *slot;

	if (tally)
		add(tally, p->len);
	if (!v->found.record)
		return;
	i = v->found.record->slot;
	slot = bpf_map_lookup_elem(&slots, &i);
	if (!slot)
		return;
	if (v->would) {
		add(&slot->would, p->len);
	} else if (is_drop(v->reason)) {
		add(&slot->drop, p->len);
	} else {
		add(&slot->pass, p->len);
		if (is_seen(v))
			note(ctx, p, v, slot);
	}
}

static __always_inline void report(struct xdp_md *ctx, const struct packet *p,
				   const struct verdict *v)
{
	struct limit *limit = limit_at(EVENTS, EVENT_BURST);
	struct event *e;

	if (!limit)
		return;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		limit->pending++;
		limit->refused++;
		return;
	}
	e->suppressed = limit->pending;
	limit->pending = 0;
	e->src[0] = p->src[0];
	e->src[1] = p->src[1];
	e->dst[0] = p->dst[0];
	e->dst[1] = p->dst[1];
	e->ifindex = ctx->ingress_ifindex;
	e->reason = v->reason;
	e->number = v->found.record ? v->found.record->number : 0;
	e->sport = p->sport;
	e->dport = p->dport;
	e->protocol = p->protocol;
	e->version = p->version;
	e->would = v->would;
	__builtin_memset(e->pad, 0, sizeof(e->pad));
	bpf_ringbuf_submit(e, 0);
}

static __always_inline enum reason inspect(struct xdp_md *ctx, __u32 bank,
					   const struct head *head,
					   struct packet *p, struct verdict *v)
{
	enum reason reason;
	__be16 type;

	if (head->mode == OFF)
		return AGENT_OFF;
	reason = parse_link(ctx, p, &type);
	if (reason == MPLS && !head->pass_mpls)
		return MPLS_DROPPED;
	if (reason != NO_REASON)
		return reason;
	if (type == bpf_htons(ETH_P_IP))
		return decide(ctx, bank, head, V4, p, v);
	return decide(ctx, bank, head, V6, p, v);
}

/* The live bank, read once for a packet. */
static __always_inline __u32 live_bank(void)
{
	__u32 zero = 0;
	volatile __u64 *word = bpf_map_lookup_elem(&live, &zero);
	__u32 bank = word ? *word & 1 : 0;

	if (widen && bpf_get_prandom_u32() % 512 == 0)
		for (__u32 i = 0; i < widen && i < 20000; i++)
			bpf_get_prandom_u32();
	return bank;
}

/* Of the first buffer. The subtraction is done here, and not where its result is
 * first used: clang would keep the packet's start in 32 bits until then. */
static __always_inline __u32 length(struct xdp_md *ctx)
{
	__u64 len = ctx->data_end - ctx->data;

	asm volatile("" : "+r"(len));
	return len;
}

static __always_inline int run(struct xdp_md *ctx, bool frags)
{
	struct packet p = { .frags = frags, .len = length(ctx) };
	struct verdict v = { .reason = BROKEN };
	__u32 bank = live_bank();
	struct head *head = bpf_map_lookup_elem(&heads, &bank);
	bool drop;

	/* in memory: clang would carry each field in a register of its own, and
	 * spill them all at every way out */
	asm volatile("" : : "r"(&p), "r"(&v) : "memory");
	if (!head)
		return XDP_DROP;
	v.reason = inspect(ctx, bank, head, &p, &v);
	drop = is_drop(v.reason) && !v.would;
	if (drop && (head->mode == MONITOR ||
		     (v.found.record && v.found.record->mode == MONITOR)))
		v.would = true;
	count(ctx, &p, &v);
	if (is_drop(v.reason))
		report(ctx, &p, &v);
	return drop && !v.would ? XDP_DROP : XDP_PASS;
}

SEC("xdp.frags")
int postern(struct xdp_md *ctx)
{
	return run(ctx, true);
}

/* The same where kernel or driver know no frames of several buffers. */
SEC("xdp")
int postern_plain(struct xdp_md *ctx)
{
	return run(ctx, false);
}

/* Global, like the walks in parse.h: verified once, not 512 times. */
__noinline int ask(__u32 i)
{
	struct question *q = bpf_map_lookup_elem(&questions, &i);

	if (!q)
		return -1;
	if (q->family == V4)
		q->answer = answer(V4, q->word, q->addr);
	else
		q->answer = answer(V6, q->word, q->addr);
	return 0;
}

/* Answers the questions with the lookup that judges packets; counts nothing. */
SEC("xdp")
int postern_probe(struct xdp_md *ctx)
{
	for (__u32 i = 0; i < QUESTIONS; i++)
		if (ask(i))
			return XDP_ABORTED;
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
