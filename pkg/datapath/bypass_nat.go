package datapath

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// nftables finds rules that send packets to another address or port after the
// program has judged them by the one on the wire.
func (s *survey) nftables(ctx context.Context) error {
	out, err := output(ctx, "nft", "-j", "-t", "list", "ruleset")
	if err != nil {
		return err
	}
	return s.readNftables(out)
}

func (s *survey) readNftables(ruleset []byte) error {
	var list struct {
		Nftables []struct {
			Rule *struct {
				Family, Table, Chain string
				Handle               int
				Expr                 []map[string]json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(ruleset, &list); err != nil {
		return fmt.Errorf("read what nft says: %w", err)
	}
	for _, object := range list.Nftables {
		r := object.Rule
		if r == nil {
			continue
		}
		for _, statement := range r.Expr {
			for _, verb := range []string{"dnat", "redirect", "tproxy"} {
				to, ok := statement[verb]
				if !ok {
					continue
				}
				if addr, port := nftTarget(to); s.socket(addr, port) {
					s.add("nat", fmt.Sprintf("nft delete rule %s %s %s handle %d, or an endpoint for what it rewrites", r.Family, r.Table, r.Chain, r.Handle),
						"nft rule %d in %s %s %s may send packets to a guarded port: %s %s", r.Handle, r.Family, r.Table, r.Chain, verb, to)
				}
			}
		}
	}
	return nil
}

// nftTarget reads where a NAT statement sends packets. What is not one plain
// address or port (a range, a map) stays zero: it may be any.
func nftTarget(statement json.RawMessage) (addr netip.Addr, port uint16) {
	var to struct{ Addr, Port json.RawMessage }
	if json.Unmarshal(statement, &to) != nil {
		return addr, 0
	}
	if json.Unmarshal(to.Addr, &addr) != nil {
		addr = netip.Addr{}
	}
	if json.Unmarshal(to.Port, &port) != nil {
		port = 0
	}
	return addr, port
}

// iptables reads both backends. Rules of the newer one also show in nftables, but
// as expressions that nft cannot read.
func (s *survey) iptables(ctx context.Context) error {
	var errs []error
	read := 0
	for _, tool := range []string{"iptables", "ip6tables", "iptables-legacy", "ip6tables-legacy"} {
		if _, err := exec.LookPath(tool + "-save"); err != nil {
			continue
		}
		read++
		out, err := output(ctx, tool+"-save")
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.readIptables(tool, string(out))
	}
	if read == 0 {
		errs = append(errs, errors.New("iptables-save is not installed"))
	}
	return errors.Join(errs...)
}

// iptablesNAT picks the target out of a rule as iptables-save writes it.
var iptablesNAT = regexp.MustCompile(`-j (?:DNAT|REDIRECT|TPROXY)\b(?:.*--(?:to-destination|to-ports|on-port) (\S+))?`)

func (s *survey) readIptables(tool, saved string) {
	table := ""
	for line := range strings.Lines(saved) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "*"); ok {
			table = name
		}
		target := iptablesNAT.FindStringSubmatch(line)
		if target == nil || !strings.HasPrefix(line, "-A ") {
			continue
		}
		if addr, port := iptablesTarget(target[1]); s.socket(addr, port) {
			s.add("nat", fmt.Sprintf("%s -t %s -D %s, or an endpoint for what it rewrites", tool, table, line[len("-A "):]),
				"%s rule may send packets to a guarded port: %s", tool, line)
		}
	}
}

// iptablesTarget reads "192.0.2.2:8080", "192.0.2.2", "8080"; a range may be any.
func iptablesTarget(text string) (addr netip.Addr, port uint16) {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr(), ap.Port()
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr, 0
	}
	if n, err := strconv.ParseUint(text, 10, 16); err == nil {
		return addr, uint16(n)
	}
	return addr, 0
}

// output runs a tool that prints what the kernel holds, in the network namespace
// of this thread.
func output(ctx context.Context, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).Output()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("%s is not installed", name)
	case errors.As(err, &exit):
		return nil, fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(exit.Stderr)))
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}
