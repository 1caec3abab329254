package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// kernel is an unpacked package.
type kernel struct{ pkg, version, root string }

func (k kernel) String() string { return k.release() + " (" + k.version + ")" }

// release is what uname -r says.
func (k kernel) release() string { return strings.TrimPrefix(k.pkg, "linux-image-") }

func (k kernel) image() string { return filepath.Join(k.root, "boot/vmlinuz-"+k.release()) }

// fetch finds the newest cloud kernel of a series in what apt knows, and unpacks
// it in the user's cache if that has it not yet.
func fetch(ctx context.Context, series string) (kernel, error) {
	pkg, err := newestPackage(ctx, series)
	if err != nil {
		return kernel{}, err
	}
	version, err := versionOf(ctx, pkg)
	if err != nil {
		return kernel{}, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return kernel{}, err
	}
	k := kernel{pkg, version, filepath.Join(cache, "postern/kernels", pkg+"_"+version)}
	if _, err := os.Stat(k.root); err == nil {
		return k, nil
	}
	if err := k.unpack(ctx); err != nil {
		return kernel{}, fmt.Errorf("%s %s: %w", pkg, version, err)
	}
	return k, nil
}

func newestPackage(ctx context.Context, series string) (string, error) {
	pattern := "^linux-image-" + regexp.QuoteMeta(series) + `\..*-cloud-amd64$`
	out, err := output(ctx, "", "apt-cache", "search", "--names-only", pattern)
	if err != nil {
		return "", err
	}
	var names []string
	for line := range strings.Lines(out) {
		name, _, _ := strings.Cut(line, " ")
		names = append(names, name)
	}
	if names == nil {
		return "", errors.New("apt knows no cloud kernel of this series")
	}
	return slices.MaxFunc(names, byNumbers), nil
}

var digits = regexp.MustCompile(`\d+`)

// byNumbers orders names by the numbers in them: 6.1.0-9 comes before 6.1.0-10.
func byNumbers(a, b string) int {
	return slices.CompareFunc(digits.FindAllString(a, -1), digits.FindAllString(b, -1), func(a, b string) int {
		m, _ := strconv.Atoi(a)
		n, _ := strconv.Atoi(b)
		return cmp.Compare(m, n)
	})
}

func versionOf(ctx context.Context, pkg string) (string, error) {
	out, err := output(ctx, "", "apt-cache", "show", "--no-all-versions", pkg)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) {
		if version, ok := strings.CutPrefix(line, "Version: "); ok {
			return strings.TrimSpace(version), nil
		}
	}
	return "", fmt.Errorf("%s: apt-cache shows no version", pkg)
}

// unpack downloads the package and unpacks it aside, so that what has its name in
// the cache is complete.
func (k kernel) unpack(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(k.root), 0o755); err != nil {
		return err
	}
	aside, err := os.MkdirTemp(filepath.Dir(k.root), "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(aside)
	progress("downloading %s %s", k.pkg, k.version)
	// Root's apt would rather download as a user who may not write here, and warns.
	_, err = output(ctx, aside, "apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", k.pkg+"="+k.version)
	if err != nil {
		return fmt.Errorf("%w; apt-get update may help", err)
	}
	debs, err := filepath.Glob(filepath.Join(aside, "*.deb"))
	if err != nil || len(debs) != 1 {
		return fmt.Errorf("apt-get left %d packages: %w", len(debs), err)
	}
	root := filepath.Join(aside, "root")
	if _, err := output(ctx, "", "dpkg-deb", "-x", debs[0], root); err != nil {
		return err
	}
	if _, err := output(ctx, "", "depmod", "-b", root, k.release()); err != nil {
		return err
	}
	return os.Rename(root, k.root)
}

// output runs a command and returns what it printed.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return "", fmt.Errorf("%s: %w: %s", cmd, err, strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", cmd, err)
	}
	return string(out), nil
}
