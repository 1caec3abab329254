package main

import "testing"

func TestRead(t *testing.T) {
	const begin = "boot\n\nBEGIN pkg/a\n"
	tests := []struct {
		name, said string
		want       outcome
	}{
		{name: "nothing", want: outcome{seconds: "-", end: "it did not begin"}},
		{
			name: "passed", said: begin + "=== RUN   TestA\n    a_test.go:1: said\n--- PASS: TestA (0.1s)\nPASS\n\nEXIT pkg/a 7 ok\n",
			want: outcome{passed: 1, seconds: "7", end: "ok"},
		},
		{
			name: "subtest-failed",
			said: begin + "=== RUN   TestA\n=== RUN   TestA/x\n    a_test.go:1: off\n=== RUN   TestA/y\n" +
				"--- FAIL: TestA (0.1s)\n    --- FAIL: TestA/x (0.1s)\n    --- PASS: TestA/y (0.0s)\n" +
				"=== RUN   TestB\n--- PASS: TestB (0.0s)\nFAIL\n\nEXIT pkg/a 7 exit status 1\n",
			want: outcome{
				passed: 1, failed: 1, seconds: "7", end: "exit status 1",
				said: "    a_test.go:1: off\n--- FAIL: TestA (0.1s)\n    --- FAIL: TestA/x (0.1s)\n",
			},
		},
		{
			name: "subtest-skipped-is-no-pass",
			said: begin + "=== RUN   TestA\n=== RUN   TestA/x\n--- PASS: TestA (0.1s)\n    --- SKIP: TestA/x (0.1s)\n\nEXIT pkg/a 7 ok\n",
			want: outcome{failed: 1, seconds: "7", end: "ok", said: "    --- SKIP: TestA/x (0.1s)\n\n"},
		},
		{
			name: "kernel-gone", said: begin + "=== RUN   TestA\n=== RUN   TestA/x\n    a_test.go:1: said\n",
			want: outcome{failed: 1, seconds: "-", end: "it did not end", said: "    a_test.go:1: said\n"},
		},
		{
			name: "panic", said: begin + "=== RUN   TestA\npanic: off\n\nEXIT pkg/a 7 exit status 2\n\nBEGIN pkg/b\n=== RUN   TestB\n--- PASS: TestB (0.0s)\n",
			want: outcome{failed: 1, seconds: "7", end: "exit status 2", said: "panic: off\n\n"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := read("pkg/a", tt.said); got != tt.want {
				t.Errorf("read = %#v,\nwant   %#v", got, tt.want)
			}
		})
	}
}
