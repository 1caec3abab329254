package policy

import "strings"

// Nearest is the known word that word was most likely meant to be, or "" where
// none is near.
func Nearest(word string, known []string) string {
	const most = 40 // beyond that nobody mistyped
	if len(word) > most {
		return ""
	}
	best, near := len(word)/3+1, ""
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d <= best && (near == "" || d < best) {
			best, near = d, k
		}
	}
	return near
}

// distance counts the bytes to insert, delete or replace to make b of a.
func distance(a, b string) int {
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
		}
		last = row
	}
	return last[len(b)]
}
