// Package control is what can be done to a running agent, in the words of the
// policy and for a caller that is known: lists and records are read and written,
// history is gone back to, keys are given and taken.
//
// Every API is an encoding of it. Whatever the encoding, a caller is asked for
// its rights before it is looked whether there is what it asks for; what a file
// owns is refused with the file's name; a change that shuts its author out, or
// opens what was closed, is refused unless it says so; and what was done and what
// was refused is in the journal once.
package control
