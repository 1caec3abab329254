package addr

import "go4.org/netipx"

// Range is a run of addresses of one family, both ends in.
type Range = netipx.IPRange
