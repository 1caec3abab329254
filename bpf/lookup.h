/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* From a word to its verdict. */
#ifndef POSTERN_LOOKUP_H
#define POSTERN_LOOKUP_H

#include "index.h"

#define WORD_KIND(word) ((__u8)(word))
#define WORD_ID(word) ((__u32)((word) >> 32))

/*
 * An address is two words in network byte order, IPv4 in the low half of the
 * first: what loads from the packet give on a little-endian CPU.
 */
static __always_inline __u32 trie4(__u32 list, __u64 addr)
{
	struct key4 key = { .prefixlen = 64, .list = list };
	__u32 *value;

	*(__u32 *)key.addr = (__u32)addr;
	value = bpf_map_lookup_elem(&lists4, &key);
	return value ? *value : 0;
}

static __always_inline __u32 trie6(__u32 list, __u64 hi, __u64 lo)
{
	struct {
		__u32 prefixlen;
		__u32 list;
		__u64 addr[2];
	} key = { 160, list, { hi, lo } }; /* a key6 that is aligned */
	__u32 *value;

	value = bpf_map_lookup_elem(&lists6, &key);
	return value ? *value : 0;
}

static __always_inline __u32 trie(enum family family, __u32 list,
				  const __u64 *addr)
{
	if (family == V4)
		return trie4(list, addr[0]);
	return trie6(list, addr[0], addr[1]);
}

/* The line that a word names, in place: nine tenths of all lists are one. */
static __always_inline __u32 line(enum family family, __u64 word,
				  const __u64 *addr)
{
	struct node *node = node_at(REF_NODE(WORD_ID(word)));
	__u32 rank;

	if (!node)
		return 0;
	if (family == V4)
		rank = rank4(node, bpf_ntohl((__u32)addr[0]));
	else
		rank = rank6(node, bpf_be64_to_cpu(addr[0]));
	return (REF_FIRST(WORD_ID(word)) ^ rank) & 1;
}

/* The same of the ends in a place. */
static __always_inline __u32 here(enum family family, __u64 word,
				  const struct place *place, const __u64 *addr)
{
	__u64 turned = REF_FIRST(WORD_ID(word));

	if (family == V4) {
		__u64 a = bpf_ntohl((__u32)addr[0]);

#pragma unroll
		for (int i = 0; i < 8; i++)
			turned += borrow(place->end4[i] - a);
	} else {
#pragma unroll
		for (int i = 0; i < 2; i++)
			turned +=
				below(place->end6[i], bpf_be64_to_cpu(addr[0]));
	}
	return turned & 1;
}

/* Whatever a word stands for. These two are global functions, like the walks in
 * parse.h: verified once, for any word and address. */
__noinline __u32 listed4(__u64 word, __u32 addr)
{
	__u32 a = bpf_ntohl(addr);

	switch (WORD_KIND(word)) {
	case LINE:
	case HERE:
	case TREE:
		return tree(WORD_ID(word), IPV4, a, 0);
	case ROOT:
		return tree(slot_at(word, (__u64)a << 32), IPV4, a, 0);
	case TRIE:
		return trie4(WORD_ID(word), addr);
	}
	return 0; /* NOBODY, or a kind from a later version: closed */
}

__noinline __u32 listed6(__u64 word, __u64 hi, __u64 lo)
{
	__u64 h = bpf_be64_to_cpu(hi);
	__u32 ref = WORD_ID(word);

	switch (WORD_KIND(word)) {
	case TRIE:
		return trie6(ref, hi, lo);
	case ROOT:
		ref = slot_at(word, h);
		break;
	case LINE:
	case HERE:
	case TREE:
		break;
	default:
		return 0;
	}
	if (REF_WIDE(ref))
		return tree(ref, WHOLE, h, bpf_be64_to_cpu(lo));
	return tree(ref, UPPER, h, 0);
}

/* 0: no. */
static __always_inline __u32 answer(enum family family, __u64 word,
				    const __u64 *addr)
{
	if (WORD_KIND(word) == OPEN)
		return 1;
	if (family == V4)
		return listed4(word, addr[0]);
	return listed6(word, addr[0], addr[1]);
}

/* The same for what nearly every packet asks: a return costs as much as all of
 * a line where the CPU's are guarded against speculation. */
static __always_inline __u32 answer_fast(enum family family, __u64 word,
					 const __u64 *addr)
{
	if (WORD_KIND(word) == LINE)
		return line(family, word, addr);
	return answer(family, word, addr);
}

#endif
