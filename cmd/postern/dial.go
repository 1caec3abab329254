package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/api/v1"
)

// defaultAddress is where an agent listens and a command asks, unless told.
const defaultAddress = "unix:///run/postern/api.sock"

// dialer says which agent to ask, and as whom.
type dialer struct {
	address, keyFile, caFile string
	getenv                   func(string) string
}

// agentFlags gives cmd a dialer's flags, and returns how to reach the agent. It
// is connected to when it is first asked.
func (c *console) agentFlags(cmd *cobra.Command) func() (*v1.Client, error) {
	d := &dialer{getenv: c.getenv}
	flags := cmd.Flags()
	flags.StringVar(&d.address, "api", "", "the agent, unix:///path or https://host:port (default $POSTERN_API, else "+defaultAddress+")")
	flags.StringVar(&d.keyFile, "key-file", "", "the file with the key's secret (default $POSTERN_KEY_FILE; $POSTERN_KEY is the secret)")
	flags.StringVar(&d.caFile, "cacert", "", "trust the certificates of this PEM file, and no others")
	return d.dial
}

// asking makes cmd ask an agent.
func (c *console) asking(cmd *cobra.Command, run func(ctx context.Context, agent *v1.Client, args []string) error) {
	dial := c.agentFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		agent, err := dial()
		if err != nil {
			return err
		}
		return run(cmd.Context(), agent, args)
	}
}

func (d *dialer) dial() (*v1.Client, error) {
	address := cmp.Or(d.address, d.getenv("POSTERN_API"), defaultAddress)
	at, err := addr.ParseListener(address)
	if err != nil {
		return nil, &exit{exitMisused, err}
	}
	secret, err := d.secret()
	if err != nil {
		return nil, err
	}
	transport, err := d.transport(at)
	if err != nil {
		return nil, err
	}
	base := at.String()
	if at.Scheme == "unix" {
		base = "http://agent"
	}
	asked := &courier{http: &http.Client{Transport: transport}, address: address, secret: secret}
	return v1.NewClient(base+v1.Base, v1.WithHTTPClient(asked))
}

// secret is the key's; "" where the socket says who calls.
func (d *dialer) secret() (string, error) {
	file := cmp.Or(d.keyFile, d.getenv("POSTERN_KEY_FILE"))
	if file == "" {
		return d.getenv("POSTERN_KEY"), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the key: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

func (d *dialer) transport(at addr.Listener) (*http.Transport, error) {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	if at.Scheme == "unix" {
		return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", at.Address)
		}}, nil
	}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext,
		TLSHandshakeTimeout: 10 * time.Second, ForceAttemptHTTP2: true,
	}
	if d.caFile == "" {
		return t, nil
	}
	text, err := os.ReadFile(d.caFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificates to trust: %w", err)
	}
	t.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
	if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("read the certificates to trust: %s holds none in PEM", d.caFile)
	}
	return t, nil
}

// courier sends requests to one agent.
type courier struct {
	http            *http.Client
	address, secret string
}

// Do sends a request and says, where it cannot, whom it was for.
func (a *courier) Do(req *http.Request) (*http.Response, error) {
	if a.secret != "" {
		req.Header.Set("Authorization", "Bearer "+a.secret)
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the agent at %s: %w", a.address, cause(err))
	}
	return resp, nil
}

// cause strips what names the request and the socket: the address has said it.
func cause(err error) error {
	var op *net.OpError
	var request *url.Error
	switch {
	case errors.As(err, &op):
		return op.Err
	case errors.As(err, &request):
		return request.Err
	}
	return err
}
