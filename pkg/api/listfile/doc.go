// Package listfile writes lists as list files hold them: in YAML, to be put into
// a list directory and read back as what they were, in JSON, to be sent to apply,
// and in HCL, for those who keep what they run in that.
//
// It writes one document after the other, so that all of a host's lists need no
// more memory than the longest file.
package listfile
