/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* From a class and a destination to a record. */
#ifndef POSTERN_MATCH_H
#define POSTERN_MATCH_H

#include "lookup.h"

#define NO_RECORD 0
#define BROKEN_RECORD (~0U) /* out of range: whoever looks it up drops */

/*
 * The agent fills the lines by the same hash (lines.go). Its upper bits are the
 * well-mixed ones.
 */
static __always_inline __u32 hash(__u64 hi, __u64 lo)
{
	const __u64 k = 0x9e3779b97f4a7c15ULL;

	return (((hi * k) ^ (hi >> 32) ^ lo) * k) >> 32;
}

static __always_inline __u32 exact4(__u32 bank, const struct class *class,
				    const __u64 *addr)
{
	__u32 i = hash(addr[0], 0) & (class->lines[V4] - 1);
	__u32 record = NO_RECORD;
	struct line4 *line;

	i += class->line[V4];
	if (i >= lines4_cap)
		return BROKEN_RECORD;
	i += bank * lines4_cap;
	line = bpf_map_lookup_elem(&lines4, &i);
	if (!line)
		return BROKEN_RECORD;
#pragma unroll
	for (int n = 0; n < 8; n++)
		if (line->addr[n] == (__u32)addr[0])
			record |= line->record[n];
	return record;
}

static __always_inline __u32 exact6(__u32 bank, const struct class *class,
				    const __u64 *addr)
{
	__u32 i = hash(addr[0], addr[1]) & (class->lines[V6] - 1);
	__u32 record = NO_RECORD;
	struct line6 *line;

	i += class->line[V6];
	if (i >= lines6_cap)
		return BROKEN_RECORD;
	i += bank * lines6_cap;
	line = bpf_map_lookup_elem(&lines6, &i);
	if (!line)
		return BROKEN_RECORD;
#pragma unroll
	for (int n = 0; n < 3; n++)
		if (!((line->addr[n][0] ^ addr[0]) |
		      (line->addr[n][1] ^ addr[1])))
			record |= line->record[n];
	return record;
}

/* 0.0.0.0 too: with source 0.0.0.0 Linux takes it for broadcast input. */
static __always_inline bool is_broadcast(enum family family, const __u64 *addr)
{
	if (family == V6)
		return (addr[0] & 0xff) == 0xff;
	return (addr[0] & 0xf0) == 0xe0 || (__u32)addr[0] == ~0U || !addr[0];
}

static __always_inline __u32 find(__u32 bank, enum family family, __u32 index,
				  const __u64 *addr)
{
	struct class *class;
	__u32 record = NO_RECORD;

	if (!index)
		return NO_RECORD;
	if (index >= classes_cap)
		return BROKEN_RECORD;
	index += bank * classes_cap;
	class = bpf_map_lookup_elem(&classes, &index);
	if (!class)
		return BROKEN_RECORD;
	if (class->lines[family])
		record = family == V4 ? exact4(bank, class, addr) :
					exact6(bank, class, addr);
	if (!record && class->list[family])
		record = trie(family, class->list[family], addr);
	if (!record && is_broadcast(family, addr))
		record = class->broadcast;
	return record ? record : class->any;
}

static __always_inline struct record *record_at(__u32 bank, __u32 index)
{
	if (index >= records_cap)
		return NULL;
	index += bank * records_cap;
	return bpf_map_lookup_elem(&records, &index);
}

/* hot: asked by nearly every packet. */
static __always_inline enum reason judge_words(enum family family,
					       const struct record *record,
					       const __u64 *src, bool hot)
{
	__u64 own = record->own[family], tenant = record->tenant[family];

	if (!(hot ? answer_fast(family, own, src) : answer(family, own, src)))
		return NOT_LISTED;
	if (!(hot ? answer_fast(family, tenant, src) :
		    answer(family, tenant, src)))
		return NOT_LISTED_TENANT;
	return LISTED;
}

/* What the sets say of a source; *would is set where only the law refuses. */
static __always_inline enum reason judge(__u32 bank, enum family family,
					 const struct record *record,
					 const __u64 *src, bool *would)
{
	enum reason reason = judge_words(family, record, src, true);
	const struct record *shadow;

	if (reason != LISTED || !record->shadow)
		return reason;
	shadow = record_at(bank, record->shadow);
	if (!shadow)
		return BROKEN;
	reason = judge_words(family, shadow, src, false);
	*would = reason != LISTED;
	return reason;
}

#endif
