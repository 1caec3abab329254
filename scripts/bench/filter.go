package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"

	"github.com/postern-io/postern/pkg/policy"
)

// filter is something that keeps those who are not on a list off a host.
type filter struct {
	name string
	tool string // that it takes; "": none
	// install puts it up on w's host. Its error is why it cannot hold the list.
	install func(b *bench, w *wire, list []netip.Prefix) error
}

// Names of the filters, as the tables have them.
const (
	bareDrop  = "bare XDP_DROP"
	postern   = "Postern"
	nftables  = "nftables"
	ipset     = "ipset"
	xdpFilter = "xdp-filter"
	nothing   = "nothing"
)

// filters are the peers, each as its manual would have it used.
var filters = []filter{
	{bareDrop, "", installBare},
	{postern, "", installPostern},
	{nftables, "nft", installNFTables},
	{ipset, "ipset", installIPSet},
	{xdpFilter, "xdp-filter", installXDPFilter},
}

// peers are the versions of those that are there.
func peers(ctx context.Context) []string {
	var found []string
	for _, tool := range []string{"nft", "ipset", "iptables"} { // xdp-filter does not say
		out, err := exec.CommandContext(ctx, tool, "--version").Output()
		if err != nil {
			continue
		}
		first, _, _ := strings.Cut(string(out), "\n")
		found = append(found, first)
	}
	return found
}

func installBare(b *bench, w *wire, _ []netip.Prefix) error {
	w.attach(w.host, newVerdict(b.Stage, xdpDrop))
	return nil
}

// installNothing is what is there without a filter. A veth polls only where a
// program is attached, as a NIC always does.
func installNothing(b *bench, w *wire, _ []netip.Prefix) error {
	w.attach(w.host, newVerdict(b.Stage, xdpPass))
	return nil
}

func installPostern(b *bench, w *wire, list []netip.Prefix) error {
	state := stateOf([]tenant{{id: "t", allow: list}})
	state.Endpoints = []*policy.Endpoint{w.endpoint}
	d := b.newPostern(byIndex)
	b.Check(d.Apply(b.Context(), b.compile(state).Plan))
	var err error
	w.host.NS.Do(func() { err = d.Attach(b.Context(), []string{w.host.Name}) })
	return err
}

// installNFTables drops at the netdev ingress hook what an interval set does not
// hold.
func installNFTables(b *bench, w *wire, list []netip.Prefix) error {
	_ = installNothing(b, w, list)
	var script strings.Builder
	fmt.Fprintf(&script, "table netdev bench {\n set listed { type ipv4_addr; flags interval; auto-merge; elements = { %s } }\n", join(list))
	fmt.Fprintf(&script, " chain in { type filter hook ingress device %s priority 0; ip saddr != @listed drop; }\n}\n", w.host.Name)
	return runTool(b, w, script.String(), "nft", "-f", "-")
}

// installIPSet drops in the raw table, before connections are tracked, what a
// hash:net set does not hold.
func installIPSet(b *bench, w *wire, list []netip.Prefix) error {
	_ = installNothing(b, w, list)
	var script strings.Builder
	fmt.Fprintf(&script, "create listed hash:net family inet maxelem %d\n", max(len(list), 1<<16))
	for _, p := range list {
		fmt.Fprintf(&script, "add listed %v\n", p)
	}
	if err := runTool(b, w, script.String(), "ipset", "-exist", "restore"); err != nil {
		return err
	}
	return runTool(b, w, "", "iptables", "-t", "raw", "-A", "PREROUTING",
		"-m", "set", "!", "--match-set", "listed", "src", "-j", "DROP")
}

// xdpFilterMost is up to where xdp-filter, which knows addresses and takes one by
// one, is measured.
const xdpFilterMost = 100

// installXDPFilter allows the first address of each prefix: it knows no others.
func installXDPFilter(b *bench, w *wire, list []netip.Prefix) error {
	if len(list) > xdpFilterMost {
		return errors.New("holds single addresses only, set one by one")
	}
	var script strings.Builder
	fmt.Fprintf(&script, "set -e\nmount -t bpf bpf /sys/fs/bpf\nxdp-filter load -p deny -f ipv4 -m native %s\n", w.host.Name)
	for _, p := range list {
		fmt.Fprintf(&script, "xdp-filter ip -m src %v\n", p.Addr())
	}
	return runTool(b, w, script.String(), "unshare", "--mount", "sh")
}

// runTool runs a command on w's host, and gives it a script to read.
func runTool(b *bench, w *wire, script string, command ...string) error {
	cmd := exec.CommandContext(b.Context(), command[0], command[1:]...)
	cmd.Stdin = strings.NewReader(script)
	var out []byte
	var err error
	w.host.NS.Do(func() { out, err = cmd.CombinedOutput() })
	if err != nil {
		return fmt.Errorf("%s: %w: %s", command[0], err, strings.TrimSpace(string(out)))
	}
	return nil
}

// put puts f up on w, or says why it is absent.
func (f filter) put(b *bench, w *wire, list []netip.Prefix) error {
	if f.tool != "" {
		if _, err := exec.LookPath(f.tool); err != nil {
			return errors.New("not installed")
		}
	}
	return f.install(b, w, list)
}

func join(list []netip.Prefix) string {
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = p.String()
	}
	return strings.Join(texts, ", ")
}
