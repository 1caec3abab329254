package agent

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// watcher says which files may have changed. It watches directories, never
// files: an editor puts a new file in the old one's place, and Kubernetes a new
// directory.
type watcher struct {
	file    string // postern.yaml, whatever it is called
	fs      *fsnotify.Watcher
	touched chan struct{} // holds one: take has something

	mu    sync.Mutex
	names []string // of files, once for each event
	whole bool     // no name says what changed
	dirs  []string
}

func newWatcher(file string) (*watcher, error) {
	fs, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch files: %w", err)
	}
	return &watcher{file: file, fs: fs, touched: make(chan struct{}, 1)}, nil
}

// run gathers what matters until ctx ends.
func (w *watcher) run(ctx context.Context) error {
	defer w.fs.Close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-w.fs.Events:
			w.see(e)
		case <-w.fs.Errors: // events were lost; which, nobody knows
			w.touch("")
		}
	}
}

// see leaves out what others keep writing to beside our files: it would put off
// the reading for as long.
func (w *watcher) see(e fsnotify.Event) {
	ext := filepath.Ext(e.Name)
	switch {
	case ext == ".yaml", ext == ".yml", filepath.Base(e.Name) == filepath.Base(w.file):
		w.touch(e.Name)
	case w.isDirectory(e):
		w.touch("")
	}
}

// isDirectory reports whether a directory came, or one of those watched went.
func (w *watcher) isDirectory(e fsnotify.Event) bool {
	if e.Has(fsnotify.Create) {
		info, err := os.Stat(e.Name)
		return err == nil && info.IsDir()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return e.Has(fsnotify.Remove|fsnotify.Rename) && slices.Contains(w.dirs, e.Name)
}

// touch notes a file, or with "" that any may have changed.
func (w *watcher) touch(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if name == "" {
		w.whole = true
	} else {
		w.names = append(w.names, name)
	}
	select {
	case w.touched <- struct{}{}:
	default:
	}
}

// take is what was touched since it was last called.
func (w *watcher) take() (names []string, whole bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	names, whole = w.names, w.whole
	w.names, w.whole = nil, false
	return names, whole
}

// follow watches these directories and no others. One that is not there is not
// an error: its parent or the next walk tells when it comes.
func (w *watcher) follow(dirs []string) {
	for _, dir := range w.fs.WatchList() {
		if !slices.Contains(dirs, dir) {
			_ = w.fs.Remove(dir)
		}
	}
	for _, dir := range dirs {
		_ = w.fs.Add(dir)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dirs = dirs
}
