package datapath

import (
	"context"
	"errors"
	"iter"
	"net/netip"
	"time"

	"github.com/cilium/ebpf"
)

// Families index whatever is held per family, as in maps.h.
const (
	v4 = iota
	v6
	families
)

func familyOf(a netip.Addr) int {
	if a.Is4() {
		return v4
	}
	return v6
}

// batchSize is how many entries go to the kernel in one call: a call costs as
// much as a hundred of them, and four thousand take it about a millisecond.
const batchSize = 4096

// trie is one family's LPM trie, written in batches.
type trie interface {
	// put adds an entry; it may wait until flush.
	put(list uint32, p netip.Prefix, value uint32) error
	flush() error
	// remove deletes entries of a list; those that are not there are no error.
	remove(ctx context.Context, list uint32, prefixes iter.Seq[netip.Prefix]) error
}

type key interface{ bpfKey4 | bpfKey6 }

func key4(list uint32, p netip.Prefix) bpfKey4 {
	return bpfKey4{Prefixlen: 32 + uint32(p.Bits()), List: list, Addr: p.Addr().As4()}
}

func key6(list uint32, p netip.Prefix) bpfKey6 {
	return bpfKey6{Prefixlen: 32 + uint32(p.Bits()), List: list, Addr: p.Addr().As16()}
}

type keyedTrie[K key] struct {
	m      *ebpf.Map
	key    func(list uint32, p netip.Prefix) K
	keys   []K // not yet written
	values []uint32
}

func (t *keyedTrie[K]) put(list uint32, p netip.Prefix, value uint32) error {
	t.keys = append(t.keys, t.key(list, p))
	t.values = append(t.values, value)
	if len(t.keys) < batchSize {
		return nil
	}
	return t.flush()
}

func (t *keyedTrie[K]) flush() error {
	if len(t.keys) == 0 {
		return nil
	}
	_, err := t.m.BatchUpdate(t.keys, t.values, nil)
	t.keys, t.values = t.keys[:0], t.values[:0]
	return err
}

func (t *keyedTrie[K]) remove(ctx context.Context, list uint32, prefixes iter.Seq[netip.Prefix]) error {
	var keys []K
	for p := range prefixes {
		keys = append(keys, t.key(list, p))
		if len(keys) == batchSize {
			if err := removeKeys(ctx, t.m, keys); err != nil {
				return err
			}
			keys = keys[:0]
		}
	}
	return removeKeys(ctx, t.m, keys)
}

// removeKeys deletes keys and then rests for as long as that took: freeing nodes
// is work for the CPUs that packets come in on.
func removeKeys[K key](ctx context.Context, m *ebpf.Map, keys []K) error {
	start := time.Now()
	for len(keys) > 0 {
		n, err := m.BatchDelete(keys, nil)
		if err == nil {
			break
		}
		if !errors.Is(err, ebpf.ErrKeyNotExist) {
			return err
		}
		keys = keys[n+1:]
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Since(start)):
		return nil
	}
}

// drain empties a trie whose keys nobody remembers. Closing it full would keep a
// CPU from its packets for as long as freeing all of it takes: 450 ms a million.
func drain[K key](ctx context.Context, m *ebpf.Map) error {
	keys, values := make([]K, batchSize), make([]uint32, batchSize)
	for {
		var cursor ebpf.MapBatchCursor
		n, err := m.BatchLookup(&cursor, keys, values, nil)
		if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return err
		}
		if n == 0 {
			return nil
		}
		if err := removeKeys(ctx, m, keys[:n]); err != nil {
			return err
		}
	}
}
