package policy

import (
	"iter"
	"slices"
)

// Records are a plan's records by number; 0 is "no record". They lie in pages,
// and a revision shares with the one before it those in which nothing changed.
// Records never change.
type Records struct {
	pages   []*page
	end     int
	shadows int
}

const pageSize = 64

type page [pageSize]Record

// RecordsOf numbers records from 1.
func RecordsOf(records ...Record) Records {
	e := Records{}.edit()
	for i := range records {
		e.set(i+1, records[i])
	}
	return e.Records
}

// End is one more than the last number; 0 where there are no records.
func (r Records) End() int { return r.end }

// At is the record of a number; nil where there is none.
func (r Records) At(number int) *Record {
	if number <= 0 || number >= r.end {
		return nil
	}
	return &r.pages[number/pageSize][number%pageSize]
}

// Shadows are how many records have a shadow.
func (r Records) Shadows() int { return r.shadows }

// All are the records by number.
func (r Records) All() iter.Seq2[int, *Record] {
	return func(yield func(int, *Record) bool) {
		for i := 1; i < r.end && yield(i, r.At(i)); i++ {
		}
	}
}

// Since are the numbers, in order, under which these records and those before
// differ, or only one of them has any. It passes over what they share.
func (r Records) Since(before Records) iter.Seq[int] {
	return func(yield func(int) bool) {
		for p := range max(len(r.pages), len(before.pages)) {
			if p < len(r.pages) && p < len(before.pages) && r.pages[p] == before.pages[p] && r.end == before.end {
				continue
			}
			for i := p * pageSize; i < (p+1)*pageSize; i++ {
				if !r.At(i).same(before.At(i)) && !yield(i) {
					return
				}
			}
		}
	}
}

func (r *Record) same(o *Record) bool { return r == o || r != nil && o != nil && *r == *o }

// HasShadow reports whether a list in monitor makes enforcement weaker than law.
func (r *Record) HasShadow() bool { return r.ShadowOwn != nil || r.ShadowTenant != nil }

// recordsEdit is Records on their way to the next ones. A page is copied when
// something in it changes.
type recordsEdit struct {
	Records
	own []bool // by page: nobody shares it
}

func (r Records) edit() *recordsEdit {
	return &recordsEdit{Records{slices.Clone(r.pages), r.end, r.shadows}, make([]bool, len(r.pages))}
}

// set gives a number its record. Numbers grow by one.
func (e *recordsEdit) set(number int, record Record) {
	e.end = max(e.end, number+1)
	p := number / pageSize
	if p == len(e.pages) {
		e.pages, e.own = append(e.pages, &page{}), append(e.own, true)
	}
	at := &e.pages[p][number%pageSize]
	if *at == record {
		return
	}
	if !e.own[p] {
		fresh := *e.pages[p]
		e.pages[p], e.own[p] = &fresh, true
		at = &fresh[number%pageSize]
	}
	e.shadows += count(record.HasShadow()) - count(at.HasShadow())
	*at = record
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
