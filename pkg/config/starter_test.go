package config

import (
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/postern-io/postern/pkg/policy"
)

// What init writes is read without a word of complaint, drops nothing, and lets
// back in who wrote it.
func TestStarter(t *testing.T) {
	tests := []struct {
		name    string
		starter Starter
	}{
		{"over-ssh", Starter{Interface: "eth0", SSHClient: netip.MustParseAddr("198.51.100.7"), SSHPort: 2222, ListDir: "lists.d"}},
		{"over-ssh-v6", Starter{Interface: "eth0", SSHClient: netip.MustParseAddr("2001:db8::"), SSHPort: 22, ListDir: "lists.d"}},
		{"over-ssh-inside", Starter{Interface: "eth0", SSHClient: netip.MustParseAddr("10.1.2.3"), SSHPort: 22, ListDir: "lists.d"}},
		{"at-the-console", Starter{Interface: "ens3", ListDir: "lists.d"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "postern.yaml")
			write(t, file, string(tt.starter.Config()))
			write(t, filepath.Join(dir, "lists.d", "system.yaml"), string(tt.starter.List()))
			if problems := Lint([]string{file}, now); len(problems) > 0 {
				t.Fatal(problems)
			}
			c, _ := Read(file)
			l, _ := c.ReadLists(nil)
			table, err := policy.Compile(c.With(l), policy.Host{}, now)
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Interfaces) != 1 || c.Interfaces[0] != tt.starter.Interface || c.State.Mode != policy.Monitor {
				t.Errorf("interfaces %v, mode %s", c.Interfaces, c.State.Mode)
			}
			client := tt.starter.SSHClient
			if !client.IsValid() {
				return
			}
			f := c.State.Failsafe[0]
			if !f.Ports[0].Contains(tt.starter.SSHPort) || !f.From[0].Contains(client) {
				t.Errorf("failsafe %+v, want port %d from %s", f, tt.starter.SSHPort, client)
			}
			if v := table.Decide(policy.Query{Endpoint: c.State.Endpoints[0], Addr: client}); !v.Allow {
				t.Errorf("%s would be refused: %s", client, v.Reason)
			}
		})
	}
}
