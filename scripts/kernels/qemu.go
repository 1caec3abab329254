package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// limit is how long a guest may take.
const limit = 40 * time.Minute

// boot runs the suites on k, or only some tests of theirs, and returns what they said. An error is what came
// between k and its end.
func (k kernel) boot(ctx context.Context, dir, only string) (string, error) {
	image, console := filepath.Join(dir, "initramfs"), filepath.Join(dir, "console")
	if err := k.writeImage(ctx, image, dir); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// The processor is emulated: where there is KVM, it may be one that hangs.
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "2048",
		"-nodefaults", "-display", "none", "-no-reboot", "-serial", "file:"+console, "-serial", "stdio",
		"-kernel", k.image(), "-initrd", image, "-append", "console=ttyS0 panic=-1 quiet -- "+only)
	cmd.Stderr = os.Stderr
	said, err := cmd.Output()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("qemu: not done after %v", limit)
	case err != nil:
		err = fmt.Errorf("qemu: %w", err)
	}
	return string(said), errors.Join(err, consoleError(console))
}

// consoleError is what the kernel, or process 1, had to complain of. Of itself the
// kernel only says that it goes.
func consoleError(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasSuffix(line, "reboot: Power down") {
			lines = append(lines, line)
		}
	}
	if lines == nil {
		return nil
	}
	return fmt.Errorf("console:\n%s", strings.Join(lines, "\n"))
}
