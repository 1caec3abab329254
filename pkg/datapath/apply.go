package datapath

import (
	"context"
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/postern-io/postern/pkg/policy"
)

// Apply puts p in force: for every packet, all of it at once. On an error the
// last good revision stays as it is.
func (d *Datapath) Apply(ctx context.Context, p *policy.Plan) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.closing.Err(); err != nil {
		return errors.New("apply revision: the datapath is closed")
	}
	if err := d.apply(ctx, p); err != nil {
		return fmt.Errorf("apply revision: %w", err)
	}
	return nil
}

func (d *Datapath) apply(ctx context.Context, p *policy.Plan) error {
	if err := d.awaitSettled(ctx); err != nil {
		return err
	}
	if !sameDestinations(d.places.of, p.Classes) {
		d.places = layOut(p.Classes)
	}
	need := layoutOf(p, d.places)
	if d.gen == nil || !d.gen.layout.holds(need) {
		return d.applyAnew(ctx, p, need)
	}
	err := d.publish(ctx, d.gen, d.plan, p, d.maxNodes() == 0)
	if !errors.Is(err, errNoRoom) {
		return err
	}
	// packed anew it would soon be full again
	if most := d.maxNodes(); d.gen.layout.nodes == most && nodesFor(p) > most-most/8 {
		return d.publish(ctx, d.gen, d.plan, p, true)
	}
	return d.applyAnew(ctx, p, need)
}

// applyAnew puts p in force in a generation of its own, with all lists packed
// anew.
func (d *Datapath) applyAnew(ctx context.Context, p *policy.Plan, need layout) error {
	need.nodes = nodesFor(p)
	size := need.withHeadroom()
	size.nodes = min(size.nodes, d.maxNodes())
	gen, err := d.loader.load(size)
	if errors.Is(err, unix.ENOMEM) && d.gen != nil && d.gen.layout.holds(need) {
		return d.publish(ctx, d.gen, d.plan, p, true) // what there is goes on
	}
	if err != nil {
		return err
	}
	if err := d.publish(ctx, gen, &policy.Plan{}, p, true); err != nil {
		return errors.Join(err, d.discard(gen))
	}
	return nil
}

func (d *Datapath) maxNodes() int { return min(max(d.cfg.MaxIndexBytes, 0)/nodeBytes, maxNodes) }

// publish writes p into gen's idle bank, which holds was, and makes it what
// packets are judged by. With toTries, a list that has no room in the index goes
// to the tries, and is no error.
func (d *Datapath) publish(ctx context.Context, gen *generation, was, p *policy.Plan, toTries bool) (err error) {
	st, err := gen.lists.stage(ctx, was, p, d.places, &gen.probe, toTries)
	if err != nil {
		return err
	}
	admitted := d.names.admit(d.plan, p)
	defer func() {
		if err != nil {
			d.names.revoke(admitted)
			err = errors.Join(err, st.undo())
		}
	}()
	for _, slot := range admitted {
		if err := d.zeroSlot(slot); err != nil {
			return err
		}
	}
	wait := settling{revision: &revision{
		plan: p, was: was, places: d.places, moved: d.places != gen.lists.places, lists: st, names: d.names,
	}}
	gen.idle().write(wait.revision)
	gen.flip()
	if gen != d.gen {
		if err := d.handOver(gen); err != nil {
			return err
		}
		wait.old = d.gen
	}
	wait.left = st.commit()
	if wait.old != nil {
		wait.left.entries = append(wait.left.entries, wait.old.lists.all()...)
	}
	d.names.commit(d.plan, p)
	d.gen, d.plan = gen, p
	d.settle(wait)
	d.published.Store(d.usage())
	return nil
}

// handOver moves everything attached to a new generation, or nothing.
func (d *Datapath) handOver(gen *generation) error {
	before, err := d.pinGeneration(gen)
	if err != nil {
		return err
	}
	if err := d.onProgram(gen.programs()); err != nil {
		return errors.Join(err, d.setCurrent(before))
	}
	return nil
}

// settling is what has to wait until no packet is being judged by the revision
// before.
type settling struct {
	revision *revision   // for the other bank
	old      *generation // nil: still in use
	left     leftovers
	done     chan error // of the grace period, which the next Apply waits for
}

func (d *Datapath) settle(s settling) {
	s.done = make(chan error, 1)
	d.settling = &s
	gen := d.gen
	d.background.Go(func() {
		err := d.grace()
		if err == nil {
			gen.idle().write(s.revision) // the next revision finds both banks alike
			s.revision = nil
			gen.lists.nodes.give(s.left.nodes)
			d.names.settle()
		}
		s.done <- err
		if err != nil {
			return
		}
		if s.old != nil {
			err = d.discard(s.old)
		}
		err = errors.Join(err, d.loader.tries.clear(d.closing, s.left.entries))
		if err != nil && d.closing.Err() == nil {
			d.cfg.Log.Error("old revision not cleared away", "err", err)
		}
	})
}

// awaitSettled waits until the idle bank has no reader left.
func (d *Datapath) awaitSettled(ctx context.Context) error {
	if d.settling == nil {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-d.settling.done:
		if err != nil {
			d.settle(*d.settling)
			return err
		}
		d.settling = nil
		return nil
	}
}

// zeroSlot lets a slot's new owner start from zero.
func (d *Datapath) zeroSlot(slot uint32) error {
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return err
	}
	if err := d.loader.shared[bpfMapSlots].Put(slot, make([]bpfSlot, cpus)); err != nil {
		return fmt.Errorf("reset counters: %w", err)
	}
	return nil
}
