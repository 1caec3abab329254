package main

import (
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	tests := []struct {
		name, in, out           string
		passed, failed, skipped int
	}{
		{
			name: "pass-is-silent", passed: 1,
			in: `{"Action":"output","Package":"p","Test":"TestA","Output":"said\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}`,
			out: "ok  \tp\t0.1s\n",
		},
		{
			name: "skip-is-shown-and-counted", skipped: 1,
			in: `{"Action":"output","Package":"p","Test":"TestA","Output":"--- SKIP: TestA\n"}
{"Action":"skip","Package":"p","Test":"TestA"}`,
			out: "--- SKIP: TestA\n",
		},
		{
			name: "package-without-tests-is-no-skip",
			in:   `{"Action":"skip","Package":"p"}`,
		},
		{
			name: "crash-shows-what-was-said",
			in: `{"Action":"output","Package":"p","Test":"TestA","Output":"panic: x\n"}
{"Action":"fail","Package":"p"}`,
			out: "panic: x\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			got := tally{out: &out, log: map[key]*strings.Builder{}}
			if err := got.read(strings.NewReader(tt.in)); err != nil {
				t.Fatal(err)
			}
			if out.String() != tt.out {
				t.Errorf("printed %q, want %q", out.String(), tt.out)
			}
			if got.passed != tt.passed || got.failed != tt.failed || got.skipped != tt.skipped {
				t.Errorf("counted %d passed, %d failed, %d skipped; want %d, %d, %d",
					got.passed, got.failed, got.skipped, tt.passed, tt.failed, tt.skipped)
			}
		})
	}
}
