package datapath

import (
	"context"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
)

func (l *links) follow(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := l.followOnce(ctx); err != nil {
			return fmt.Errorf("follow interfaces: %w", err)
		}
	}
	return nil
}

// followOnce follows until ctx ends or the kernel says that it had more to tell
// than we read; then all is looked at anew.
func (l *links) followOnce(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	updates := make(chan netlink.LinkUpdate)
	// Without a callback the subscription ends the channel at the first lost
	// message, which is what we want to know.
	if err := netlink.LinkSubscribeWithOptions(updates, ctx.Done(), netlink.LinkSubscribeOptions{
		ReceiveBufferSize: 1 << 20,
	}); err != nil {
		stop()
		return err
	}
	defer func() {
		stop()
		for range updates { // lets the subscription's goroutine end
		}
	}()
	l.settleAll(ctx, func(*guard) bool { return true })
	for {
		select {
		case <-ctx.Done():
			return nil
		case update, ok := <-updates:
			if !ok {
				return nil
			}
			attrs := update.Attrs()
			l.settleAll(ctx, func(g *guard) bool { return g.Name == attrs.Name || g.Index == attrs.Index })
		}
	}
}

// settleAll looks after the guards concerned and tells what changed.
func (l *links) settleAll(ctx context.Context, concerned func(*guard) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range l.guards {
		if !concerned(g) {
			continue
		}
		before := g.Err
		g.follow = true
		err := l.settle(ctx, g)
		if err != nil && ctx.Err() == nil && (before == nil || before.Error() != err.Error()) {
			l.log.Warn("interface not guarded", "interface", g.Name, "err", err, "absent", errors.Is(err, errAbsent))
		}
	}
}
