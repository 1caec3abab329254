// Package audit is the journal of who changed what, from where, and of who was
// refused.
//
// A line is one JSON object with the names of the Elastic Common Schema, nested,
// as the schema wants documents that go to an index without a shipper between;
// what the schema has no name for stands under "postern". The lines are a chain:
// each carries its number (event.sequence), the hash of the line before it
// (postern.previous; 64 zeros in line 1) and, as its last member, its own hash.
// That is the SHA-256, in hex, of the line's bytes before `,"hash":`, which are
// all but the last 76 of them. So
//
//	head -n 1 FILE | head -c -77 | sha256sum
//
// prints the hash of a file's first line, the newline being one byte more.
//
// A chain cannot show that its end was cut off. Therefore the Store remembers
// the head, and with each change, in the transaction of the change, its line:
// the outbox. A line reaches the file after that, so a killed agent or a full
// disk leaves lines to be written later, and none to be missed. A refused
// attempt changes nothing and goes to the file only; of those made in the last
// second before a power cut, some may be lost.
package audit
