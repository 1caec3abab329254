package body

import (
	"fmt"
	"maps"
	"slices"

	"github.com/postern-io/postern/pkg/policy"
)

// Shape is what a value should be, and where it goes. Shapes write what they
// read; after a mistake what they wrote is not to be used.
type Shape func(f *findings, v *value)

// Fields are the keys an object may have.
type Fields map[string]Shape

// Object is an object of these keys and no others; those required must be there.
func Object(fields Fields, required ...string) Shape {
	return func(f *findings, v *value) {
		if !f.is(v, object) {
			return
		}
		missing := slices.Clone(required)
		for i := range v.kids {
			kid := &v.kids[i]
			missing = slices.DeleteFunc(missing, func(name string) bool { return name == kid.name })
			f.member(kid, fields)
		}
		for _, name := range missing {
			f.enter(step{name: name})
			f.fault("missing", "")
			f.leave()
		}
	}
}

func (f *findings) member(v *value, fields Fields) {
	f.enter(step{name: v.name})
	defer f.leave()
	if shape, ok := fields[v.name]; ok {
		shape(f, v)
		return
	}
	remedy := ""
	if !f.full() { // which is dear
		remedy = meant(v.name, slices.Sorted(maps.Keys(fields)))
	}
	f.fault("no such key", remedy)
}

// Pairs is an object whose keys are the writer's own.
func Pairs(member func(name string) Shape) Shape {
	return func(f *findings, v *value) {
		if !f.is(v, object) {
			return
		}
		for i := range v.kids {
			f.enter(step{name: v.kids[i].name})
			member(v.kids[i].name)(f, &v.kids[i])
			f.leave()
		}
	}
}

// Each is a list of items of one shape. A list without items is empty, not nil.
func Each[T any](into *[]T, item func(into *T) Shape) Shape {
	return func(f *findings, v *value) {
		if !f.is(v, list) {
			return
		}
		*into = make([]T, len(v.kids))
		for i := range v.kids {
			f.enter(step{index: i, item: true})
			item(&(*into)[i])(f, &v.kids[i])
			f.leave()
		}
	}
}

// Said is what a body says of a key.
type Said uint8

const (
	Absent Said = iota // nothing
	Null
	Given // a value
)

// Noted is a value or null, and remembers which; where the key is left out, into
// stays Absent.
func Noted(into *Said, shape Shape) Shape {
	return func(f *findings, v *value) {
		if *into = Null; v.kind != null {
			*into = Given
			shape(f, v)
		}
	}
}

// Check has the last word on what shape has read without a mistake. An error that
// is a *Mistake brings a remedy; its path is the value's own.
func Check(shape Shape, check func() error) Shape {
	return func(f *findings, v *value) {
		before := f.count()
		shape(f, v)
		if f.count() > before {
			return
		}
		if err := check(); err != nil {
			f.mistake(err)
		}
	}
}

// is reports whether v is of the kind wanted, and says so where it is not.
func (f *findings) is(v *value, wanted kind) bool {
	if v.kind != wanted {
		f.fault(fmt.Sprintf("%s where %s should be", v.kind, wanted), "")
	}
	return v.kind == wanted
}

func meant(word string, known []string) string {
	if near := policy.Nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return ""
}

// Either is a list of one shape, or what is no list of another.
func Either(ofList, otherwise Shape) Shape {
	return func(f *findings, v *value) {
		if v.kind == list {
			ofList(f, v)
			return
		}
		otherwise(f, v)
	}
}
