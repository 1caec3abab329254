/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What the program and the agent share. bpf2go makes Go types of all of it, so
 * nothing here is written down a second time.
 *
 * Whatever a packet reads in two steps lies in mmapable arrays: their elements
 * are never recycled under a reader, and they start on a page, where a plain
 * array would let every cache line of ours straddle two of the CPU's.
 *
 * A packet writes nothing that another CPU reads or writes: counters and limits
 * are per CPU, everything else is read only, and no lock is taken but the two
 * rings', to each of which a CPU comes four times a jiffy at most. What a CPU has of its
 * own does not grow with tenants (SLOTS endpoints are counted by name), and what
 * grows with tenants is there once.
 *
 * Arrays marked "banked" hold everything twice. Bank b's element i is at
 * b * cap + i; the live bank is the one the packet read at its beginning.
 */
#ifndef POSTERN_MAPS_H
#define POSTERN_MAPS_H

/* All the kernel's headers come first: a name below that one of them defines is
 * an error then, and not another number somewhere else. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum family { V4, V6, FAMILIES };

/* As in pkg/policy: of two modes, the larger is the weaker. */
enum mode { ENFORCE, MONITOR, OFF };

/*
 * What answers for a list and a family. A word is a kind in its low byte and an
 * id in its upper half; a word of zeroes admits nobody, and so does a kind that
 * the program does not know.
 */
enum kind {
	NOBODY,
	OPEN,
	TRIE, /* the trie's entries with this list id */
	LINE, /* one node, of 16 IPv4 ends or 8 upper halves: index.h */
	HERE, /* such a node, and all that is in it also in the record's place */
	TREE, /* a search tree of nodes */
	ROOT, /* a table of such trees */
};

/*
 * What the program found a packet to be. Each packet has one, and each has its
 * counter. The order matters: all before MPLS_DROPPED pass; from TRUNCATED to
 * OVERLAP they are defects, which are dropped only at a guarded address.
 */
enum reason {
	NO_REASON, /* not settled yet; never counted */

	AGENT_OFF,
	ARP,
	LLDP,
	EAPOL,
	NOT_IP,
	MPLS,
	NO_ENDPOINT,
	NO_ANY_ENDPOINT,
	ENDPOINT_OFF,
	NEIGHBOUR_DISCOVERY,
	MULTICAST_LISTENER,
	IGMP,
	LINK_CONTROL,
	DHCP,
	PATH_MTU,
	FAILSAFE,
	FRAGMENT_LISTED,
	TUNNEL_LISTED,
	LISTED,

	MPLS_DROPPED,
	VLAN_DEPTH,
	HEADER_CUT,
	LOOPBACK,
	SOURCE_ROUTE,
	ROUTING_HEADER,
	HOME_ADDRESS,
	FIRST_FRAGMENT,

	TRUNCATED,
	MALFORMED,
	OPTIONS,
	EXTENSION_HEADERS,
	OVERLAP,

	FRAGMENT,
	TUNNEL,
	PATH_MTU_LIMIT,
	NOT_LISTED, /* by the system, the endpoint, or its proxies */
	NOT_LISTED_TENANT,
	BROKEN, /* an index out of range: never seen, always dropped */

	REASONS,
};

/* One endpoint, or a union of some, for a family. A source must be in own and in
 * tenant. */
struct record {
	__u64 own;
	__u64 tenant;
	__u32 shadow; /* of the record with the law's own words; 0: this one */
	__u32 number; /* in events */
	__u16 slot;   /* in counters */
	__u8 mode;
	__u8 placed; /* it is one of exact's, and no free place */
	__u32 key4;  /* the destination it is placed by, as packets have it */
};

struct records {
	struct record of[FAMILIES];
} __attribute__((aligned(64)));

/* The record for one destination, and what else a packet to it asks for: a line
 * of the CPU's. */
struct place {
	struct record record;
	union {
		__u64 word[4];
		__u32 end4[8]; /* of the tenant's list, where its word is HERE */
		struct {
			__u64 end6[2];
			__u64 key6[2];
		};
	};
} __attribute__((aligned(64)));

/* A set of ports that the same endpoints cover: where their records are. */
struct class {
	__u32 first[FAMILIES]; /* place of the exact addresses */
	__u32 homes[FAMILIES]; /* how many places they hash to */
	__u32 list[FAMILIES];  /* trie list of the prefixes; 0: none */
	__u32 any;
	__u32 broadcast;
};

struct port {
	__u32 class;
	__u32 failsafe; /* 0: none */
};

struct words {
	__u64 word[FAMILIES];
};

/* A line of the range index. */
struct node {
	union {
		__u32 end4[16];
		__u64 end6[8]; /* upper halves, the lower ones all ones */
		struct {
			__u64 hi[4];
			__u64 lo[4];
		} wide;
		__u32 slot[16];
	};
};

/* What holds for the whole agent. */
struct head {
	__u64 tunnels[FAMILIES];
	__u64 failsafe[FAMILIES]; /* all of them: for fragments */
	__u32 guard;              /* class of every endpoint */
	__u32 other;              /* class of protocols without ports */
	enum mode mode;
	__u32 pass_mpls;
} __attribute__((aligned(64)));

struct key4 {
	__u32 prefixlen; /* never under 32: a key without list is everybody's */
	__u32 list;
	__u8 addr[4];
};

struct key6 {
	__u32 prefixlen;
	__u32 list;
	__u8 addr[16];
};

struct tally {
	__u64 packets;
	__u64 bytes;
};

struct slot {
	struct tally pass;
	__u64 told; /* the jiffy of the last packet that went by in sights */
	struct tally drop;
	struct tally would;
};

/* A limit per CPU: so many per jiffy, no clock and no agent needed. */
struct limit {
	__u64 jiffy;
	__u64 used;
	__u64 pending; /* refused since the last that was let through */
	__u64 refused; /* ever */
};

enum limited { EVENTS, PMTU, SIGHTS, LIMITS };

struct event {
	__u64 suppressed; /* refusals on this CPU since its last event */
	__u64 src[2];     /* network byte order; IPv4 in the first 4 bytes */
	__u64 dst[2];
	__u32 ifindex;
	__u32 reason;
	__u32 number;
	__u16 sport;
	__u16 dport;
	__u8 protocol;
	__u8 version; /* of IP; 0: the packet has no addresses we could read */
	__u8 would;
	__u8 pad[5];
};

/* A source whose packet an endpoint let pass. */
struct sight {
	__u64 src[2]; /* as in event */
	__u32 number;
	__u8 version;
	__u8 pad[3];
};

/* One question to postern_probe, and its answer. */
struct question {
	__u64 word;
	__u64 addr[2];
	enum family family;
	__u32 answer;
};

#define SLOTS 1024
#define PORTS 65536
#define QUESTIONS 512
#define PROBES 12 /* places an exact address may be at, from its home on */

/* The agent sets these before it loads, and sizes the maps by them. */
volatile const __u32 records_cap = 1;
volatile const __u32 classes_cap = 1;
volatile const __u32 failsafes_cap = 1;
volatile const __u32 exact_cap = 1;
/* Turns the gap between reading the live bank and using it into a canyon; only
 * tests set it, and the verifier removes it where it is 0. */
volatile const __u32 widen = 0;

/* Puts into the object's BTF what no map has as its key or value. */
const struct {
	struct event event;
	struct sight sight;
	enum kind kind;
} *const shared_types __attribute__((used)) = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} live SEC(".maps");

#define BANKED(name, elem, count)                                              \
	struct {                                                               \
		__uint(type, BPF_MAP_TYPE_ARRAY);                              \
		__uint(map_flags, BPF_F_MMAPABLE);                             \
		__uint(max_entries, 2 * (count));                              \
		__type(key, __u32);                                            \
		__type(value, elem);                                           \
	} name SEC(".maps")

BANKED(heads, struct head, 1);
BANKED(ports, struct port, 2 * PORTS); /* TCP's, then UDP's */
BANKED(failsafes, struct words, 1);
BANKED(classes, struct class, 1);
BANKED(records, struct records, 1);
BANKED(exact, struct place, 1); /* hashed by destination: match.h */

/* Written once, beside what is in use; no packet reads a node before a word
 * names it, nor when the grace period after the last such word is over. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct node);
} nodes SEC(".maps");

/* The prefixes of every class, with the number of their record; and the lists
 * that have no index, by verdict. max_entries allocates nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 24);
	__type(key, struct key4);
	__type(value, __u32);
} lists4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 24);
	__type(key, struct key6);
	__type(value, __u32);
} lists6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2 * REASONS); /* the upper half: would drop */
	__type(key, enum reason);
	__type(value, struct tally);
} reasons SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, struct slot);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LIMITS);
	__type(key, enum limited);
	__type(value, struct limit);
} limits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} events SEC(".maps");

/* Apart from events, so that who passes takes no room from who is refused. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} sights SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, QUESTIONS);
	__type(key, __u32);
	__type(value, struct question);
} questions SEC(".maps");

#endif
