package main

import (
	"slices"
	"testing"
)

func TestByNumbers(t *testing.T) {
	want := []string{
		"linux-image-6.1.0-9-cloud-amd64",
		"linux-image-6.1.0-56-cloud-amd64",
		"linux-image-6.12.9+bpo-cloud-amd64",
		"linux-image-6.12.117+deb12-cloud-amd64",
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	if slices.SortFunc(got, byNumbers); !slices.Equal(got, want) {
		t.Errorf("sorted: %q, want %q", got, want)
	}
}
