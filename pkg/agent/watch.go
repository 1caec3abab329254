package agent

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/fsnotify/fsnotify"
)

// watcher says when a file may have changed. It watches directories, never
// files: an editor puts a new file in the old one's place, and Kubernetes a new
// directory.
type watcher struct {
	file    string // postern.yaml, whatever it is called
	fs      *fsnotify.Watcher
	touched chan struct{} // holds one: many changes are read once
}

func newWatcher(file string) (*watcher, error) {
	fs, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch files: %w", err)
	}
	return &watcher{file: file, fs: fs, touched: make(chan struct{}, 1)}, nil
}

// run passes on what matters until ctx ends.
func (w *watcher) run(ctx context.Context) error {
	defer w.fs.Close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-w.fs.Events:
			if w.matters(e) {
				w.touch()
			}
		case <-w.fs.Errors: // events were lost; which, nobody knows
			w.touch()
		}
	}
}

func (w *watcher) touch() {
	select {
	case w.touched <- struct{}{}:
	default:
	}
}

// matters leaves out what others keep writing to beside our files: it would put
// off the reading for as long. What comes, goes or is renamed may be a directory.
func (w *watcher) matters(e fsnotify.Event) bool {
	const content = fsnotify.Write | fsnotify.Chmod
	ext := filepath.Ext(e.Name)
	return e.Op&^content != 0 || ext == ".yaml" || ext == ".yml" || filepath.Base(e.Name) == filepath.Base(w.file)
}

// follow watches these directories and no others. One that is not there is not
// an error: its parent or the next rescan tells when it comes.
func (w *watcher) follow(dirs []string) {
	for _, dir := range w.fs.WatchList() {
		if !slices.Contains(dirs, dir) {
			_ = w.fs.Remove(dir)
		}
	}
	for _, dir := range dirs {
		_ = w.fs.Add(dir)
	}
}
