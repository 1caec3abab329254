package main

import (
	"bufio"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machine is where the times were taken: they are this machine's, and only the
// ratios travel.
type machine struct {
	CPU    string    `json:"cpu"`
	CPUs   int       `json:"cpus"`
	L3     int       `json:"l3_bytes"`
	Kernel string    `json:"kernel"`
	Go     string    `json:"go"`
	Date   time.Time `json:"date"`
}

func thisMachine() machine {
	return machine{
		CPU: cpuModel(), CPUs: runtime.NumCPU(), L3: cacheSize(), Kernel: kernelRelease(),
		Go: runtime.Version(), Date: time.Now().UTC().Truncate(time.Second),
	}
}

func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// cacheSize is that of the last cache before the memory; 32 MB where the kernel
// does not say.
func cacheSize() int {
	text, err := os.ReadFile("/sys/devices/system/cpu/cpu0/cache/index3/size")
	if err == nil {
		if kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(string(text)), "K")); err == nil {
			return kb << 10
		}
	}
	return 32 << 20
}

func kernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}
