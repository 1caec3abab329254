package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// Starter is what `postern init` knows of a host.
type Starter struct {
	Interface string     // the default route's
	SSHClient netip.Addr // who typed the command; invalid: nobody over SSH
	SSHPort   uint16     // the port of sshd they came through
	ListDir   string     // as postern.yaml should say it
}

// Config is a first postern.yaml, which drops nothing before it is told to.
func (s Starter) Config() []byte {
	return fmt.Appendf(nil, `# postern.yaml: which packets may reach this host's endpoints.
# Every key and its default stands in the README; check edits with "postern lint".

# The devices to guard, by their exact names.
interfaces: [%s]

# monitor judges and counts, and drops nothing. Write enforce when
# "postern status" counts no one as would-drop who should pass.
mode: monitor

# Never dropped, whatever the lists say.
%s
# Every *.yaml in these directories is a list file.
list_dirs: [%s]

# What this host serves. Packets to anything else pass.
endpoints:
  - name: web
    ports: [80, 443]
    tenants: []        # no tenants: the system's lists alone decide
    resource: webUI
`, s.Interface, s.failsafe(), s.ListDir)
}

func (s Starter) failsafe() string {
	if !s.SSHClient.IsValid() {
		return `# failsafe:
#   - {protocol: tcp, ports: [22], from: [192.0.2.0/24]}
`
	}
	return fmt.Sprintf(`failsafe:
  - {protocol: tcp, ports: [%d], from: ["%s"]}   # this SSH session
`, s.SSHPort, s.SSHClient)
}

// List is a first list file, the system's.
func (s Starter) List() []byte {
	var b strings.Builder
	b.WriteString(`# The system's lists hold for every endpoint, before any tenant's.
# An entry is an address, a prefix, a range first-last, or a mapping:
#   - {address: 203.0.113.0/24, comment: Paris, expires: 2027-01-31T00:00:00Z}
#   - {address: 203.0.113.9, action: deny}
system: true
lists:
  "*":
    - 10.0.0.0/8
    - 172.16.0.0/12
    - 192.168.0.0/16
    - "fc00::/7"
`)
	if s.SSHClient.IsValid() && !s.SSHClient.IsPrivate() {
		fmt.Fprintf(&b, "    - {address: \"%s\", comment: where postern init was typed}\n", s.SSHClient)
	}
	return []byte(b.String())
}
