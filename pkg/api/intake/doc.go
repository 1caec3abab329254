// Package intake reads entries as they arrive, from lines, CSV or JSON, one at a
// time: an import may be longer than anybody should have to hold.
package intake
