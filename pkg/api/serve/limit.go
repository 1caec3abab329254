package serve

import (
	"net"
	"sync"
)

// limited closes at once what it accepts beyond its room. To leave it waiting
// would cost the caller a minute instead of an error, and would hide from Peer
// when the caller came.
type limited struct {
	net.Listener
	room chan struct{}
}

func limit(l net.Listener, most int) net.Listener {
	return &limited{l, make(chan struct{}, most)}
}

func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.room <- struct{}{}:
			return &counted{Conn: c, leave: sync.OnceFunc(func() { <-l.room })}, nil
		default:
			c.Close()
		}
	}
}

// counted makes room when it is closed.
type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// NetConn is the connection beneath.
func (c *counted) NetConn() net.Conn { return c.Conn }
