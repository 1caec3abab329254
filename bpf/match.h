/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* From a class and a destination to a record. */
#ifndef POSTERN_MATCH_H
#define POSTERN_MATCH_H

#include "lookup.h"

/*
 * The agent lays the places out by the same hash (exact.go). Its upper bits are
 * the well-mixed ones.
 */
static __always_inline __u32 hash(__u64 hi, __u64 lo)
{
	const __u64 k = 0x9e3779b97f4a7c15ULL;

	return (((hi * k) ^ (hi >> 32) ^ lo) * k) >> 32;
}

/* What a destination comes to. */
struct found {
	struct record *record; /* NULL: no endpoint */
	struct place *place;   /* where the record is, or NULL */
};

/* The functions below return false where an index is out of range: whoever asks
 * drops. */
static __always_inline bool record_at(__u32 bank, enum family family,
				      __u32 number, struct record **record)
{
	struct records *both;

	if (number >= records_cap)
		return false;
	number += bank * records_cap;
	both = bpf_map_lookup_elem(&records, &number);
	if (!both)
		return false;
	*record = &both->of[family];
	return true;
}

static __always_inline bool is_for(const struct place *place,
				   enum family family, const __u64 *addr)
{
	if (family == V4)
		return place->record.key4 == (__u32)addr[0];
	return place->key6[0] == addr[0] && place->key6[1] == addr[1];
}

/* A destination's record and its small lists lie where the address hashes to, or
 * not far behind: of the loads that no cache answers each costs more than all
 * else together. What is not before the first free place is in none. */
static __always_inline bool find_exact(__u32 bank, enum family family,
				       const struct class *class,
				       const __u64 *addr, struct found *found)
{
	__u64 first = (__u64)hash(addr[0], family == V4 ? 0 : addr[1]) *
		      class->homes[family];

	first = class->first[family] + (first >> 32);
	if (first + PROBES > exact_cap)
		return false;
	for (__u32 i = 0; i < PROBES; i++) {
		__u32 at = bank * exact_cap + first + i;
		struct place *place = bpf_map_lookup_elem(&exact, &at);

		if (!place)
			return false;
		if (!place->record.placed)
			break;
		if (is_for(place, family, addr)) {
			found->place = place;
			found->record = &place->record;
			break;
		}
	}
	return true;
}

/* 0.0.0.0 too: with source 0.0.0.0 Linux takes it for broadcast input. */
static __always_inline bool is_broadcast(enum family family, const __u64 *addr)
{
	if (family == V6)
		return (addr[0] & 0xff) == 0xff;
	return (addr[0] & 0xf0) == 0xe0 || (__u32)addr[0] == ~0U || !addr[0];
}

static __always_inline bool find(__u32 bank, enum family family, __u32 index,
				 const __u64 *addr, struct found *found)
{
	struct class *class;
	__u32 number = 0;

	found->record = NULL;
	found->place = NULL;
	if (!index)
		return true;
	if (index >= classes_cap)
		return false;
	index += bank * classes_cap;
	class = bpf_map_lookup_elem(&classes, &index);
	if (!class)
		return false;
	if (class->homes[family] &&
	    !find_exact(bank, family, class, addr, found))
		return false;
	if (found->record)
		return true;
	if (class->list[family])
		number = trie(family, class->list[family], addr);
	if (!number && is_broadcast(family, addr))
		number = class->broadcast;
	if (!number)
		number = class->any;
	return !number || record_at(bank, family, number, &found->record);
}

static __always_inline enum reason judge_words(enum family family,
					       const struct record *record,
					       const __u64 *src)
{
	if (!answer(family, record->own, src))
		return NOT_LISTED;
	if (!answer(family, record->tenant, src))
		return NOT_LISTED_TENANT;
	return LISTED;
}

/* The same for nearly every packet. */
static __always_inline enum reason judge_fast(enum family family,
					      const struct found *found,
					      const __u64 *src)
{
	const struct record *record = found->record;
	const struct place *place = found->place;
	__u32 listed;

	if (!answer_fast(family, record->own, src))
		return NOT_LISTED;
	if (place && WORD_KIND(record->tenant) == HERE)
		listed = here(family, record->tenant, place, src);
	else
		listed = answer_fast(family, record->tenant, src);
	return listed ? LISTED : NOT_LISTED_TENANT;
}

/* What the sets say of a source; *would is set where only the law refuses. */
static __always_inline enum reason judge(__u32 bank, enum family family,
					 const struct found *found,
					 const __u64 *src, bool *would)
{
	enum reason reason = judge_fast(family, found, src);
	struct record *shadow;

	if (reason != LISTED || !found->record->shadow)
		return reason;
	if (!record_at(bank, family, found->record->shadow, &shadow))
		return BROKEN;
	reason = judge_words(family, shadow, src);
	*would = reason != LISTED;
	return reason;
}

#endif
