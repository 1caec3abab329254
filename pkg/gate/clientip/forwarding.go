package clientip

import "strings"

// IsForwarding reports whether a header name speaks of hops before this one:
// Forwarded, X-Forwarded-* or X-Real-IP, also in the spellings that CGI and its
// descendants fold into them, such as X_Forwarded_For and X.Forwarded.For.
func IsForwarding(name string) bool {
	if len(name) < len("Forwarded") {
		return false
	}
	name = strings.Map(fold, name)
	return name == "forwarded" || name == "x-real-ip" ||
		name == "x-forwarded" || strings.HasPrefix(name, "x-forwarded-")
}

// Forwarded reports whether a request carries any such header.
func Forwarded(header map[string][]string) bool {
	for name := range header {
		if IsForwarding(name) {
			return true
		}
	}
	return false
}

// fold is lower case, with "-" for whatever is no letter or digit.
func fold(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
		return r
	case 'A' <= r && r <= 'Z':
		return r + 'a' - 'A'
	}
	return '-'
}
