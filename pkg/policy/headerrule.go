package policy

import "strings"

// KeepValues gives each rule without a value that of the rule before it in its
// place: of those of one header and mode the first the first's, the second the
// second's. It is the index of a rule that gets none so, -1 where there is no such.
func KeepValues(rules, before []HeaderRule) int {
	taken := map[HeaderRule]int{}
	for i := range rules {
		of := rules[i].header()
		nth := taken[of]
		taken[of]++
		if rules[i].Value == "" {
			rules[i].Value = nthValue(before, of, nth)
		}
		if rules[i].Value == "" {
			return i
		}
	}
	return -1
}

// header is what a rule is about, whatever value it wants.
func (r HeaderRule) header() HeaderRule {
	return HeaderRule{Name: strings.ToLower(r.Name), Regex: r.Regex}
}

func nthValue(rules []HeaderRule, of HeaderRule, nth int) string {
	for _, r := range rules {
		if r.header() != of {
			continue
		}
		if nth == 0 {
			return r.Value
		}
		nth--
	}
	return ""
}
