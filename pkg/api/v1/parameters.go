package v1

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// Parameters reads the query of r, and what it asks of r's header, into structs
// tagged as the generated ones are, ListEntriesParams for one. A field is optional
// whose tag says omitempty. All that is wrong is told, and what no field is for:
// of a misspelt dryRun nothing but a refusal may come.
func Parameters(r *http.Request, into ...any) []Mistake {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return []Mistake{{Path: "query", What: fmt.Sprintf("it cannot be read: %v", err)}}
	}
	var found []Mistake
	var known []string
	for _, params := range into {
		v := reflect.ValueOf(params).Elem()
		for i := range v.NumField() {
			name, inHeader, optional := tagged(v.Type().Field(i).Tag)
			given := query[name]
			if inHeader {
				given = r.Header.Values(name)
			} else {
				known = append(known, name)
			}
			if what := assign(v.Field(i), given, optional); what != "" {
				found = append(found, Mistake{Path: name, What: what})
			}
		}
	}
	return append(found, unknown(query, known)...)
}

// tagged is what a field stands for; a header has no form tag.
func tagged(tag reflect.StructTag) (name string, inHeader, optional bool) {
	text, isQuery := tag.Lookup("form")
	if !isQuery {
		text = tag.Get("json")
	}
	name, option, _ := strings.Cut(text, ",")
	return name, !isQuery, option == "omitempty"
}

// unknown are the parameters of a query that are not known.
func unknown(query url.Values, known []string) []Mistake {
	var found []Mistake
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if slices.Contains(known, name) {
			continue
		}
		m := Mistake{Path: name, What: "there is no such parameter"}
		if near := policy.Nearest(name, known); near != "" {
			m.Remedy = fmt.Sprintf("did you mean %s?", near)
		}
		found = append(found, m)
	}
	return found
}

// assign gives a field its value, or says what is wrong.
func assign(field reflect.Value, given []string, optional bool) (wrong string) {
	switch {
	case len(given) == 0 && optional:
		return ""
	case len(given) == 0:
		return "it is missing"
	case field.Kind() == reflect.Slice:
		field.Set(reflect.ValueOf(given).Convert(field.Type()))
		return ""
	case len(given) > 1:
		return fmt.Sprintf("it stands there %d times", len(given))
	}
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	return parse(field, given[0])
}

func parse(field reflect.Value, text string) (wrong string) {
	if at, ok := field.Addr().Interface().(*time.Time); ok {
		var err error
		if *at, err = time.Parse(time.RFC3339, text); err != nil {
			return fmt.Sprintf("%q is no time like 2027-01-31T00:00:00Z", text)
		}
		return ""
	}
	switch field.Kind() {
	case reflect.Bool:
		field.SetBool(text == "true")
		if text != "true" && text != "false" {
			return fmt.Sprintf("%q is neither true nor false", text)
		}
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Sprintf("%q is no number", text)
		}
		field.SetInt(int64(n))
	default:
		field.SetString(text)
		if e, ok := field.Interface().(interface{ Valid() bool }); ok && !e.Valid() {
			return fmt.Sprintf("%q is none of its values", text)
		}
	}
	return ""
}
