package clientip

import "strings"

// IsForwarding reports whether a header name tells of the client before this hop:
// Forwarded, X-Forwarded-*, X-Real-IP or X-Client-IP, also in the spellings that CGI
// and its descendants fold into them, such as X_Forwarded_For and X.Forwarded.For.
func IsForwarding(name string) bool {
	if len(name) < len("Forwarded") {
		return false
	}
	name = strings.Map(fold, name)
	return name == "forwarded" || name == "x-real-ip" || name == "x-client-ip" ||
		name == "x-forwarded" || strings.HasPrefix(name, "x-forwarded-")
}

// Forwarded reports whether a request carries any such header, or Via: a proxy that
// names no client still owes that one.
func Forwarded(header map[string][]string) bool {
	for name := range header {
		if IsForwarding(name) || strings.EqualFold(name, "Via") {
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
