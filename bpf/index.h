/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The range index. A list of one family is its ends in order: the last address
 * of each interval. The answer for the first interval is in the reference, and
 * turns with every end that lies before the address.
 *
 * The ends are a static search tree of cache lines: node 0 is its root, and of
 * a node with E ends child r of node k is node k * (E + 1) + r + 1. The free places
 * come last in order; they hold the last address there is and so are never passed. As E is even, a subtree that is passed over turns
 * the answer an even number of times: the ranks along the path settle it.
 *
 * Compares are borrows, not branches, or the verifier follows each way through
 * all of them.
 */
#ifndef POSTERN_INDEX_H
#define POSTERN_INDEX_H

#include "maps.h"

/* A tree, or the lack of one: whether the answer begins with yes, whether the
 * ends are of 128 bits, how many nodes there are, and where the first is. */
#define REF_FIRST(ref) ((ref)&1)
#define REF_WIDE(ref) ((ref)&2)
#define REF_NODES(ref) ((ref) >> 2 & 63)
#define REF_NODE(ref) ((ref) >> 8)
#define REF_MANY 63 /* the node before the first says how many */

/* The address space in 1 << BITS slots of 1 << SHIFT each, from BASE on; a slot
 * is a reference. Below BASE the answer is FIRST. Addresses stand on the left of
 * 64 bits, of IPv6 their upper half. */
#define ROOT_FIRST(word) ((word) >> 8 & 1)
#define ROOT_SHIFT(word) ((word) >> 9 & 63)
#define ROOT_BITS(word) ((word) >> 15 & 31)
#define ROOT_BASE(word) (((word)&0xfff00000) << 32)
#define ROOT_NODE(word) ((__u32)((word) >> 32))

#define MAX_NODES (1 << 24)

/* What the deepest trees of so many nodes take. */
#define DEPTH_4 7
#define DEPTH_6 9
#define DEPTH_6_WIDE 12

static __always_inline struct node *node_at(__u32 i)
{
	return bpf_map_lookup_elem(&nodes, &i);
}

/* A difference's borrow. clang, left to see that it is a compare, makes it one,
 * and a branch of that. */
static __always_inline __u64 borrow(__u64 diff)
{
	asm volatile("" : "+r"(diff));
	return diff >> 63;
}

/* 1 where a < b. */
static __always_inline __u64 below(__u64 a, __u64 b)
{
	return borrow((~a & b) | ((~a | b) & (a - b)));
}

static __always_inline __u32 rank4(const struct node *node, __u64 addr)
{
	__u64 rank = 0;

#pragma unroll
	for (int i = 0; i < 16; i++)
		rank += borrow(node->end4[i] - addr);
	return rank;
}

static __always_inline __u32 rank6(const struct node *node, __u64 hi)
{
	__u64 rank = 0;

#pragma unroll
	for (int i = 0; i < 8; i++)
		rank += below(node->end6[i], hi);
	return rank;
}

static __always_inline __u32 rank6_wide(const struct node *node, __u64 hi,
					__u64 lo)
{
	__u64 rank = 0;

#pragma unroll
	for (int i = 0; i < 4; i++) {
		__u64 end = node->wide.hi[i];
		__u64 diff = end - hi;

		/* equal halves: the difference is 0, and borrows */
		rank += below(end, hi) |
			borrow((diff - below(node->wide.lo[i], lo)) & ~diff);
	}
	return rank;
}

struct tree {
	__u32 node;
	__u32 nodes;
};

static __always_inline struct tree tree_of(__u32 ref)
{
	struct tree t = { REF_NODE(ref), REF_NODES(ref) };

	if (t.nodes == REF_MANY) {
		struct node *head = node_at(t.node++);

		t.nodes = head ? head->end4[0] : 1; /* that is not there */
	}
	return t;
}

/* Child r of node k; no more is known of it than that a tree may have it, or the
 * verifier tells every way down from every other. */
static __always_inline __u32 child(__u32 k, __u32 fanout, __u32 r)
{
	k = k * fanout + r + 1;
	asm volatile("" : "+r"(k));
	return k & (MAX_NODES - 1);
}

/* What a node holds; the values are its fan-out. */
enum form { WHOLE = 5, UPPER = 9, IPV4 = 17 };

/* What an address comes to in a tree; IPv4 stands in hi. */
static __always_inline __u32 tree(__u32 ref, enum form form, __u64 hi, __u64 lo)
{
	const int depth = form == IPV4  ? DEPTH_4 :
			  form == UPPER ? DEPTH_6 :
					  DEPTH_6_WIDE;
	struct tree t = tree_of(ref);
	__u32 turned = REF_FIRST(ref), k = 0;

	for (int i = 0; i < depth && k < t.nodes; i++) {
		struct node *node = node_at(t.node + k);
		__u32 rank;

		if (!node)
			return 0;
		rank = form == IPV4  ? rank4(node, hi) :
		       form == UPPER ? rank6(node, hi) :
				       rank6_wide(node, hi, lo);
		turned ^= rank;
		k = child(k, form, rank);
	}
	return turned & 1;
}

/* The reference that holds for an address, on the left of 64 bits. */
static __always_inline __u32 slot_at(__u64 word, __u64 addr)
{
	__u64 base = ROOT_BASE(word);
	__u64 last = (1ULL << ROOT_BITS(word)) - 1;
	__u64 i = (addr - base) >> ROOT_SHIFT(word);
	struct node *node;

	if (addr < base)
		return ROOT_FIRST(word);
	if (i > last)
		i = last;
	node = node_at(ROOT_NODE(word) + (i >> 4));
	return node ? node->slot[i & 15] : 0;
}

#endif
