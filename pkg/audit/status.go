package audit

// Status is how the journal does.
type Status struct {
	Head    Note   // the last line, without it
	Waiting int    // lines committed that the file does not have yet
	Refused int    // refused attempts that are counted and not reported yet
	Err     error  // why the file or the store could not be written
	Dir     string // where the files are
}

// Status is how l does now.
func (l *Log) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Status{l.head, len(l.waiting), l.refusals.total, l.err, l.cfg.Dir}
}

// note keeps a failure for Status, until a flush succeeds.
func (l *Log) note(err error) {
	if err != nil {
		l.err = err
	}
}
