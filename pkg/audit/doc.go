// Package audit is the journal of what people changed and tried to.
package audit
