package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"github.com/postern-io/postern/pkg/addr"
)

// Client asks an agent.
type Client struct {
	address string
	http    *http.Client
}

// Dial returns a client for the agent at address, unix:///path. It connects
// when it is first asked.
func Dial(address string) (*Client, error) {
	at, err := addr.ParseListener(address)
	if err != nil || at.Scheme != "unix" {
		return nil, fmt.Errorf("address %q: want unix:///path/to/socket", address)
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", at.Address)
	}
	return &Client{address: address, http: &http.Client{Transport: &http.Transport{DialContext: dial}}}, nil
}

// Status asks how the agent is.
func (c *Client) Status(ctx context.Context) (st Status, err error) {
	err = c.ask(ctx, http.MethodGet, "status", nil, &st)
	return st, err
}

// Lists asks for the lists of a tenant, or of all where it is "".
func (c *Client) Lists(ctx context.Context, tenant string) (ls Lists, err error) {
	q := url.Values{"limit": {strconv.Itoa(maxPage)}}
	if tenant != "" {
		q.Set("tenant", tenant)
	}
	ls.Lists = []List{}
	for {
		var page Lists
		if err := c.ask(ctx, http.MethodGet, "lists", q, &page); err != nil {
			return Lists{}, err
		}
		ls.Lists = append(ls.Lists, page.Lists...)
		if page.Next == "" {
			return ls, nil
		}
		q.Set("cursor", page.Next)
	}
}

// DropLists gives up the orphaned lists of a file.
func (c *Client) DropLists(ctx context.Context, owner string) (d Dropped, err error) {
	err = c.ask(ctx, http.MethodDelete, "lists", url.Values{"owner": {owner}}, &d)
	return d, err
}

// Explain asks whether an address may pass. Where there is no answer to the
// question its error is a *Problem.
func (c *Client) Explain(ctx context.Context, q Question) (x Explanation, err error) {
	v := url.Values{"address": {q.Address}}
	for name, value := range map[string]string{
		"endpoint": q.Endpoint, "tenant": q.Tenant, "user": q.User, "resource": q.Resource,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	err = c.ask(ctx, http.MethodGet, "explain", v, &x)
	return x, err
}

// Watch calls refused with every event until ctx ends or the agent does. ready
// is called once, when from then on nothing is missed.
func (c *Client) Watch(ctx context.Context, ready func(), refused func(Event) error) error {
	resp, err := c.do(ctx, http.MethodGet, "events", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	ready()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		var e Event
		if err := json.Unmarshal(data, &e); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		if err := refused(e); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("watch %s: %w", c.address, err)
	}
	return fmt.Errorf("watch %s: the agent has ended", c.address)
}

func (c *Client) ask(ctx context.Context, method, what string, q url.Values, into any) error {
	resp, err := c.do(ctx, method, what, q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return fmt.Errorf("read %s from %s: %w", what, c.address, err)
	}
	return nil
}

// do asks and returns an answer that is no refusal.
func (c *Client) do(ctx context.Context, method, what string, q url.Values) (*http.Response, error) {
	u := url.URL{Scheme: "http", Host: "agent", Path: "/api/v1/" + what, RawQuery: q.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the agent at %s: %w", c.address, cause(err))
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, refusal(resp)
}

// refusal reads the problem out of an answer that is one.
func refusal(resp *http.Response) error {
	p := &Problem{Status: resp.StatusCode}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "application/problem+json" ||
		json.NewDecoder(resp.Body).Decode(p) != nil {
		p.Detail = "the agent answered " + resp.Status
	}
	return p
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
