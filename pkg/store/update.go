package store

import (
	"fmt"

	"go.etcd.io/bbolt"
)

func (f *file) update(do func(*bbolt.Tx) error) error { return f.updateThen(do, func() {}) }

// updateThen is not done before the file is seen to be whole again: what went into
// one that was cut or removed meanwhile is not kept. While then runs nothing else
// is written.
func (f *file) updateThen(do func(*bbolt.Tx) error, then func()) error {
	f.writing.Lock()
	defer f.writing.Unlock()
	if err := f.guard(func() error { return f.transact(do) }); err != nil {
		return err
	}
	if err := f.whole(); err != nil {
		return err
	}
	then()
	return nil
}

func (f *file) transact(do func(*bbolt.Tx) error) error {
	number, done := 0, false
	err := f.bolt.Update(func(tx *bbolt.Tx) error {
		number = tx.ID()
		err := do(tx)
		done = err == nil
		return err
	})
	if err != nil && done {
		return f.settle(number, err)
	}
	return err
}

// settle finds out what a commit that failed has left. bbolt writes and syncs a
// transaction's pages, then the meta page that makes them count: where the file
// shows the transaction, only the last sync has failed, and it can be made up for.
// Where it cannot, the transaction may be in the file after a restart or not, and
// nothing can be built on that.
func (f *file) settle(number int, failed error) error {
	shown := 0
	err := f.bolt.View(func(tx *bbolt.Tx) error {
		shown = tx.ID()
		return nil
	})
	if err == nil && shown != number {
		return failed
	}
	if err == nil {
		err = f.syncMeta(number)
	}
	if err != nil {
		return f.breaks(fmt.Errorf("the disk confirms nothing, and what was written last may be there after a restart: %w", err))
	}
	return nil
}

// syncMeta writes a transaction's meta page once more before it syncs: what a sync
// could not write Linux takes for written, and leaves out of the next.
func (f *file) syncMeta(number int) error {
	page := make([]byte, f.bolt.Info().PageSize)
	at := int64(number%2) * int64(len(page)) // the two take turns
	if _, err := f.os.ReadAt(page, at); err != nil {
		return err
	}
	if _, err := f.os.WriteAt(page, at); err != nil {
		return err
	}
	return f.os.Sync()
}
