/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * From a frame to its addresses and ports, or to the reason why it has none.
 *
 * The walks that loop are global functions: the verifier checks those once, for
 * any argument, instead of once for every way a packet can get there.
 */
#ifndef POSTERN_PARSE_H
#define POSTERN_PARSE_H

#include "maps.h"

#define MAX_OFFSET 0x7fff /* behind the longest chain of 8 headers */
#define MAX_HEADERS 8
#define MAX_OPTIONS 64
#define IP_FIXED 20
#define IP6_FIXED 40
#define TCP_FIXED 20
#define UDP_FIXED 8
#define ICMP_FIXED 8

#define NEXT_HIP 139
#define NEXT_SHIM6 140
#define OPTION_HOME_ADDRESS 201

struct vlan {
	__be16 tci;
	__be16 type;
};

/* What all IPv6 extension headers begin with; each has at least 8 bytes. */
struct extension {
	__u8 next;
	__u8 len;
	union {
		__u8 body[6];
		struct {
			__u8 type;
			__u8 segments_left;
		} routing;
		struct {
			__be16 offset;
			__be32 id;
		} __attribute__((packed)) fragment;
	};
};

struct packet {
	__u64 src[2]; /* as in lookup.h */
	__u64 dst[2];
	__u32 off; /* of the header that comes next */
	__u32 end; /* of the IP packet: what lies behind it is padding */
	__u32 len; /* of the frame, all its buffers */
	__u16 sport;
	__u16 dport;
	__u8 protocol;
	__u8 hops;
	__u8 version;
	bool frags; /* the program takes frames of several buffers */
	bool first; /* a fragment, with more to come */
};

/* The size bytes at off, or NULL where the first buffer does not hold them. */
static __always_inline void *at(struct xdp_md *ctx, __u32 off, __u32 size)
{
	void *end = (void *)(long)ctx->data_end;
	void *pos = (void *)(long)ctx->data + off;

	return off > MAX_OFFSET || pos + size > end ? NULL : pos;
}

/*
 * off, of which the verifier now knows no more than that it is no larger than
 * MAX_OFFSET. Without it the verifier tells every way through a loop from every
 * other and gives up. The caller has checked that off is in range.
 */
static __always_inline __u32 forget(__u32 off)
{
	asm volatile("" : "+r"(off));
	return off & MAX_OFFSET;
}

static __always_inline bool fits(const struct packet *p, __u32 off)
{
	return off <= p->end;
}

static __always_inline bool is_vlan(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) ||
	       type == bpf_htons(ETH_P_8021AD);
}

/* NO_REASON: *type is IPv4's or IPv6's. */
static __always_inline enum reason parse_link(struct xdp_md *ctx,
					      struct packet *p, __be16 *type)
{
	struct ethhdr *eth = at(ctx, 0, sizeof(*eth));
	struct vlan *vlan;

	if (!eth)
		return HEADER_CUT;
	*type = eth->h_proto;
	p->off = sizeof(*eth);
#pragma unroll
	for (int i = 0; i < 2; i++) {
		if (!is_vlan(*type))
			break;
		vlan = at(ctx, p->off, sizeof(*vlan));
		if (!vlan)
			return HEADER_CUT;
		*type = vlan->type;
		p->off += sizeof(*vlan);
	}
	if (is_vlan(*type))
		return VLAN_DEPTH;
	switch (*type) {
	case bpf_htons(ETH_P_IP):
	case bpf_htons(ETH_P_IPV6):
		return NO_REASON;
	case bpf_htons(ETH_P_ARP):
		return ARP;
	case bpf_htons(ETH_P_LLDP):
		return LLDP;
	case bpf_htons(ETH_P_PAE):
		return EAPOL;
	case bpf_htons(ETH_P_MPLS_UC):
	case bpf_htons(ETH_P_MPLS_MC):
		return MPLS;
	default:
		return NOT_IP;
	}
}

/* Sets p->end to where the IP packet ends, size bytes from p->off; size 0, as
 * the kernel writes it for BIG TCP, is all there is. */
static __always_inline bool set_end(struct xdp_md *ctx, struct packet *p,
				    __u32 size)
{
	p->end = size ? p->off + size : p->len;
	if (p->end <= p->len)
		return true;
	if (!p->frags)
		return false;
	p->len = bpf_xdp_get_buff_len(ctx);
	return p->end <= p->len;
}

/* NO_REASON: all options were seen, and none is a source route. */
__noinline __u32 walk_options(struct xdp_md *ctx, __u32 off, __u32 end)
{
	__u8 *option;

	for (int i = 0; i < 40 && off < end; i++) {
		option = at(ctx, off, 1);
		if (!option)
			return TRUNCATED;
		off = forget(off);
		if (*option == IPOPT_END)
			return NO_REASON;
		if (*option == IPOPT_LSRR || *option == IPOPT_SSRR)
			return SOURCE_ROUTE;
		if (*option == IPOPT_NOOP) {
			off++;
			continue;
		}
		option = at(ctx, off, 2);
		if (!option || off + 2 > end || option[1] < 2)
			return OPTIONS;
		off += option[1];
	}
	return off == end ? NO_REASON : OPTIONS;
}

static __always_inline enum reason parse4(struct xdp_md *ctx, struct packet *p)
{
	struct iphdr *ip = at(ctx, p->off, sizeof(*ip));
	__u32 size, frag;
	enum reason reason;

	if (!ip || ip->version != 4)
		return HEADER_CUT;
	p->version = 4;
	p->src[0] = ip->saddr;
	p->dst[0] = ip->daddr;
	p->protocol = ip->protocol;
	p->hops = ip->ttl;
	if ((p->src[0] & 0xff) == 127 || (p->dst[0] & 0xff) == 127)
		return LOOPBACK;

	size = ip->ihl * 4;
	frag = bpf_ntohs(ip->frag_off);
	if (size < IP_FIXED)
		return MALFORMED;
	if (ip->tot_len && bpf_ntohs(ip->tot_len) < size)
		return MALFORMED;
	if (!set_end(ctx, p, bpf_ntohs(ip->tot_len)))
		return TRUNCATED;
	if (size > IP_FIXED) {
		reason = walk_options(ctx, p->off + IP_FIXED, p->off + size);
		if (reason != NO_REASON)
			return reason;
	}
	p->off += size;

	/* RFC 3128: an offset of one would write over the TCP flags */
	if ((frag & 0x1fff) == 1 && p->protocol == IPPROTO_TCP)
		return OVERLAP;
	if (frag & 0x1fff)
		return FRAGMENT;
	p->first = frag & 0x2000;
	return NO_REASON;
}

/* NO_REASON: all options were seen, and none is a home address. */
__noinline __u32 walk_destination(struct xdp_md *ctx, __u32 off, __u32 end)
{
	__u8 *option;

	for (int i = 0; i < MAX_OPTIONS && off < end; i++) {
		option = at(ctx, off, 1);
		if (!option)
			return TRUNCATED;
		off = forget(off);
		if (*option == OPTION_HOME_ADDRESS)
			return HOME_ADDRESS;
		if (*option == 0) {
			off++;
			continue;
		}
		option = at(ctx, off, 2);
		if (!option)
			return TRUNCATED;
		off += 2 + option[1];
	}
	return off == end ? NO_REASON : EXTENSION_HEADERS;
}

static __always_inline bool is_extension(__u32 next)
{
	switch (next) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_AH:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
	case NEXT_HIP:
	case NEXT_SHIM6:
		return true;
	}
	return false;
}

/* What a walk comes to, in the one word a global function returns; an enum
 * reason in its low byte is why it stopped. */
#define WALKED(off, first, next)                                               \
	((__u64)(off) << 32 | (first) << 16 | (next) << 8)

/* Walks IPv6 extension headers from the one at off, of type next. */
__noinline __u64 walk_headers(struct xdp_md *ctx, __u32 off, __u32 end,
			      __u32 next)
{
	struct extension *h;
	__u32 size, frag, reason, first = 0;

	next &= 0xff;
	for (int i = 0; is_extension(next); i++) {
		if (i == MAX_HEADERS || (next == IPPROTO_HOPOPTS && i))
			return EXTENSION_HEADERS;
		h = at(ctx, off, sizeof(*h));
		if (!h)
			return TRUNCATED;
		off = forget(off);
		size = (h->len + 1) * 8;
		if (next == IPPROTO_AH)
			size = (h->len + 2) * 4;
		if (next == IPPROTO_FRAGMENT)
			size = sizeof(*h);
		if (next == IPPROTO_ROUTING && h->routing.segments_left)
			return ROUTING_HEADER;
		if (size < sizeof(*h))
			return EXTENSION_HEADERS;
		if (off + size > end)
			return TRUNCATED;
		if (next == IPPROTO_DSTOPTS) {
			reason = walk_destination(ctx, off + 2, off + size);
			if (reason != NO_REASON)
				return reason;
			h = at(ctx, off, sizeof(*h));
			if (!h)
				return TRUNCATED;
		}
		if (next == IPPROTO_FRAGMENT) {
			frag = bpf_ntohs(h->fragment.offset);
			if (frag >> 3 == 1 && h->next == IPPROTO_TCP)
				return OVERLAP;
			if (frag >> 3)
				return FRAGMENT;
			first |= frag & 1;
		}
		off += size;
		next = h->next;
	}
	return WALKED(off, first, next);
}

static __always_inline bool is_loopback6(const __u64 *addr)
{
	return !addr[0] && addr[1] == bpf_cpu_to_be64(1);
}

static __always_inline enum reason parse6(struct xdp_md *ctx, struct packet *p)
{
	struct ipv6hdr *ip = at(ctx, p->off, sizeof(*ip));
	__u32 size;
	__u64 walked;

	if (!ip || ip->version != 6)
		return HEADER_CUT;
	p->version = 6;
	__builtin_memcpy(p->src, &ip->saddr, sizeof(p->src));
	__builtin_memcpy(p->dst, &ip->daddr, sizeof(p->dst));
	p->protocol = ip->nexthdr;
	p->hops = ip->hop_limit;
	if (is_loopback6(p->src) || is_loopback6(p->dst))
		return LOOPBACK;

	size = bpf_ntohs(ip->payload_len);
	if (!set_end(ctx, p, size ? size + IP6_FIXED : 0))
		return TRUNCATED;
	p->off += IP6_FIXED;
	if (!is_extension(p->protocol))
		return NO_REASON;
	walked = walk_headers(ctx, p->off, p->end, p->protocol);
	if (walked & 0xff)
		return walked & 0xff;
	p->off = walked >> 32;
	p->first = walked >> 16 & 1;
	p->protocol = walked >> 8;
	return NO_REASON;
}

static __always_inline bool is_tunnel(__u8 protocol)
{
	switch (protocol) {
	case 4:   /* IPv4 */
	case 41:  /* IPv6 */
	case 47:  /* GRE */
	case 94:  /* IPIP */
	case 97:  /* EtherIP */
	case 98:  /* ENCAP */
	case 115: /* L2TP */
	case 137: /* MPLS-in-IP */
		return true;
	}
	return false;
}

/* 224.0.0.0/24 and ff02::/16: never forwarded. */
static __always_inline bool is_link_control(enum family family,
					    const __u64 *dst)
{
	if (family == V4)
		return (dst[0] & 0xffffff) == 0x0000e0;
	return (dst[0] & 0xffff) == 0x02ff;
}

static __always_inline bool is_dhcp(enum family family, const struct packet *p)
{
	if (family == V4)
		return p->sport == 67 && p->dport == 68;
	return p->sport == 547 && p->dport == 546;
}

static __always_inline enum reason parse_ports(struct xdp_md *ctx,
					       enum family family,
					       struct packet *p)
{
	bool udp = p->protocol == IPPROTO_UDP;
	__u32 size = udp ? UDP_FIXED : TCP_FIXED;
	__be16 *port = at(ctx, p->off, UDP_FIXED);

	/* RFC 7112: the first fragment holds the whole of the headers */
	if (!port || !fits(p, p->off + size))
		return p->first ? FIRST_FRAGMENT : TRUNCATED;
	p->sport = bpf_ntohs(port[0]);
	p->dport = bpf_ntohs(port[1]);
	return udp && is_dhcp(family, p) ? DHCP : NO_ENDPOINT;
}

static __always_inline enum reason icmp4(const __u8 *icmp)
{
	return icmp[0] == 3 && icmp[1] == 4 ? PATH_MTU : NO_ANY_ENDPOINT;
}

static __always_inline enum reason icmp6(const struct packet *p,
					 const __u8 *icmp)
{
	switch (icmp[0]) {
	case 2:
		return PATH_MTU;
	case 130 ... 132:
	case 143:
		return p->hops == 1 ? MULTICAST_LISTENER : NO_ANY_ENDPOINT;
	case 133 ... 137:
		return p->hops == 255 ? NEIGHBOUR_DISCOVERY : NO_ANY_ENDPOINT;
	}
	return NO_ANY_ENDPOINT;
}

static __always_inline enum reason parse_icmp(struct xdp_md *ctx,
					      enum family family,
					      struct packet *p)
{
	__u8 *icmp = at(ctx, p->off, ICMP_FIXED);

	if (!icmp || !fits(p, p->off + ICMP_FIXED))
		return p->first ? FIRST_FRAGMENT : TRUNCATED;
	if (p->first) /* link control and PMTU are never fragments: RFC 6980 */
		return NO_ANY_ENDPOINT;
	return family == V4 ? icmp4(icmp) : icmp6(p, icmp);
}

/*
 * What a packet is by its protocol. NO_ENDPOINT and NO_ANY_ENDPOINT, TUNNEL and
 * PATH_MTU are what it comes to unless an endpoint, a list or a limit says
 * otherwise; the others are final.
 */
static __always_inline enum reason parse_transport(struct xdp_md *ctx,
						   enum family family,
						   struct packet *p)
{
	switch (p->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		return parse_ports(ctx, family, p);
	case IPPROTO_ICMP:
		if (family == V4)
			return parse_icmp(ctx, family, p);
		return NO_ANY_ENDPOINT;
	case IPPROTO_ICMPV6:
		if (family == V6)
			return parse_icmp(ctx, family, p);
		return NO_ANY_ENDPOINT;
	case IPPROTO_IGMP:
		if (family == V4 && p->hops == 1 && !p->first)
			return IGMP;
		return NO_ANY_ENDPOINT;
	}
	if (is_tunnel(p->protocol))
		return TUNNEL;
	if (is_link_control(family, p->dst) && !p->first)
		return LINK_CONTROL;
	return NO_ANY_ENDPOINT;
}

#endif
