package datapath

import (
	"context"
	"errors"
	"fmt"

	"github.com/cilium/ebpf"

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

func (d *Datapath) apply(ctx context.Context, p *policy.Plan) (err error) {
	if err := d.awaitSettled(ctx); err != nil {
		return err
	}
	gen, was := d.gen, d.plan // was: what the idle bank holds
	if need := layoutOf(p); gen == nil || !gen.layout.holds(need) {
		if gen, err = d.loader.load(need.withHeadroom()); err != nil {
			return err
		}
		was = &policy.Plan{}
	}
	if err := d.publish(ctx, gen, was, p); err != nil {
		if gen != d.gen {
			err = errors.Join(err, d.discard(gen))
		}
		return err
	}
	return nil
}

// publish writes p into gen's idle bank and makes it what packets are judged by.
func (d *Datapath) publish(ctx context.Context, gen *generation, was, p *policy.Plan) (err error) {
	st, err := d.lists.stage(ctx, d.plan, p, &gen.probe, gen == d.gen)
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
	if err := st.edit(); err != nil {
		return err
	}
	gen.idle().write(&revision{plan: p, was: was, lists: st, names: d.names})
	gen.flip()
	var old *generation
	if gen != d.gen {
		if err := d.handOver(gen); err != nil {
			return err
		}
		old = d.gen
	}
	d.names.commit(d.plan, p)
	d.gen, d.plan = gen, p
	d.settle(settling{old: old, left: st.commit()})
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
	old  *generation // nil: still in use
	left []residue
	done chan error // of the grace period, which the next Apply waits for
}

func (d *Datapath) settle(s settling) {
	s.done = make(chan error, 1)
	d.settling = &s
	gen := d.gen
	d.background.Go(func() {
		err := d.grace()
		if err == nil {
			gen.catchUp()
			d.names.settle()
		}
		s.done <- err
		if err != nil {
			return
		}
		if s.old != nil {
			err = d.discard(s.old)
		}
		err = errors.Join(err, d.lists.clear(d.closing, s.left))
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
