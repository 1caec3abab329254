package access

//go:generate go tool stringer -linecomment -type=Action -output action_string.go

// Action is a kind of thing to do. Its text is the native permission for it.
type Action uint8

const (
	ReadStatus      Action = iota // status:read
	ReadLists                     // lists:read
	WriteLists                    // lists:write
	ReadTenants                   // tenants:read
	WriteTenants                  // tenants:write
	WriteHosts                    // hosts:write
	WriteUsers                    // users:write
	ReadEndpoints                 // endpoints:read
	WriteSecurity                 // security:write
	WriteEndpoints                // endpoints:write
	SwitchFiltering               // filtering:write
	ReadHistory                   // history:read
	RollBack                      // state:rollback
	ReloadFiles                   // files:reload
	ReadTraffic                   // traffic:read
	ReadAudit                     // audit:read
	ListKeys                      // keys:list
	ReadKeys                      // keys:read
	CreateKeys                    // keys:create
	UpdateKeys                    // keys:update
	DeleteKeys                    // keys:delete
	actionCount
)

// actions is a set of them.
type actions uint32

func (s actions) has(a Action) bool { return s&(1<<a) != 0 }

const (
	everything actions = 1<<actionCount - 1

	onLists actions = 1<<ReadLists | 1<<WriteLists
	onKeys  actions = 1<<ListKeys | 1<<ReadKeys | 1<<CreateKeys | 1<<UpdateKeys | 1<<DeleteKeys

	reading actions = 1<<ReadStatus | 1<<ReadLists | 1<<ReadTenants | 1<<ReadEndpoints |
		1<<ReadHistory | 1<<ReadTraffic | 1<<ReadAudit

	// systemWide are no tenant's: who could write its own hosts could take another's.
	systemWide actions = 1<<WriteTenants | 1<<WriteHosts | 1<<WriteUsers | 1<<WriteSecurity |
		1<<WriteEndpoints | 1<<SwitchFiltering | 1<<RollBack | 1<<ReloadFiles
)
