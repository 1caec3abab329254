package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// offer writes a configuration of these APIs and endpoints; all lists are the
// store's.
func (r *rig) offer(apis, endpoints string) {
	r.t.Helper()
	r.remove("lists.d/acme.yaml")
	r.write("postern.yaml", fmt.Sprintf(`
interfaces: [in0]
store: {path: %[1]s/store}
api:
  listen: ["unix://%[2]s", "http://127.0.0.1:9440"]
%[3]s
endpoints:
%[4]s
`, r.dir, r.apiPath, apis, endpoints))
}

// sub is the rig in a subtest, whose failures are its own.
func (r *rig) sub(t *testing.T) *rig {
	of := *r
	of.t = t
	return &of
}

// reply is what came back of a request.
type reply struct {
	t *testing.T
	*http.Response
	line, text string
}

// curl sends "METHOD URL" from the agent's own host, with a body that is JSON
// unless a header says otherwise. The rest is arguments of curl's.
func (r *rig) curl(line, body string, args ...string) *reply {
	r.t.Helper()
	method, url, _ := strings.Cut(line, " ")
	args = append([]string{
		"--silent", "--show-error", "--globoff", "--include", "--http1.1", "--max-time", "20", "--noproxy", "*",
		"--request", method, "--header", "Expect:",
	}, args...)
	if body != "" {
		args = append(args, "--data-binary", "@-")
		if !strings.Contains(strings.Join(args, "\n"), "Content-Type:") {
			args = append(args, "--header", "Content-Type: application/json")
		}
	}
	out, err := r.output(strings.NewReader(body), "curl", append(args, url)...)
	if err != nil {
		r.t.Fatalf("%s: %v", line, err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(out)), nil)
	if err != nil {
		r.t.Fatalf("%s: %v\n%s", line, err, out)
	}
	defer resp.Body.Close()
	_, text, _ := bytes.Cut(out, []byte("\r\n\r\n")) // which curl has put together again
	return &reply{r.t, resp, line, string(text)}
}

// output runs a command on the agent's host.
func (r *rig) output(stdin io.Reader, name string, args ...string) ([]byte, error) {
	var out, errs bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &errs
	var err error
	r.inside.NS.Do(func() { err = cmd.Run() })
	if err != nil {
		err = fmt.Errorf("%w: %s", err, errs.String())
	}
	return out.Bytes(), err
}

// root asks the native API by the socket, where root may everything.
func (r *rig) root(line, body string, args ...string) *reply {
	r.t.Helper()
	method, path, _ := strings.Cut(line, " ")
	return r.curl(method+" http://localhost/api/v1"+path, body, append(args, "--unix-socket", r.apiPath)...)
}

// allow makes a list of these addresses and no others.
func (r *rig) allow(list string, addresses ...string) {
	r.t.Helper()
	body, err := json.Marshal(map[string]any{"entries": addresses})
	if err != nil {
		r.t.Fatal(err)
	}
	r.root("PUT /lists/"+list+"?force=true", string(body)).is(200)
}

// apiKey is a key that was made.
type apiKey struct{ ID, Name, Secret string }

func (k apiKey) login() string { return k.Name + ":" + k.Secret }

func (k apiKey) bearer() string { return "Authorization: Bearer " + k.Secret }

// key makes a key by what is said of it in JSON.
func (r *rig) key(spec string) apiKey {
	r.t.Helper()
	var k apiKey
	r.root("POST /keys", spec).is(201).into(&k)
	if k.ID == "" || k.Secret == "" {
		r.t.Fatalf("a key without id or secret: %+v", k)
	}
	return k
}

func (a *reply) is(status int) *reply {
	a.t.Helper()
	if a.StatusCode != status {
		a.t.Fatalf("%s: %s, want %d:\n%s", a.line, a.Status, status, a.text)
	}
	return a
}

// equals compares the body with a JSON text, byte by byte but for white space
// between values.
func (a *reply) equals(want string) {
	a.t.Helper()
	if got, want := compact(a.t, a.text), compact(a.t, want); got != want {
		a.t.Errorf("%s:\ngot  %s\nwant %s", a.line, got, want)
	}
}

func (a *reply) says(want string) *reply {
	a.t.Helper()
	if !strings.Contains(a.text, want) {
		a.t.Errorf("%s does not say %q:\n%s", a.line, want, a.text)
	}
	return a
}

func (a *reply) into(v any) *reply {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.text), v); err != nil {
		a.t.Fatalf("%s: %v\n%s", a.line, err, a.text)
	}
	return a
}

func compact(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return b.String()
}

// edit replaces a part of a file.
func (r *rig) edit(name, before, after string) {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		r.t.Fatal(err)
	}
	if !strings.Contains(string(text), before) {
		r.t.Fatalf("%s does not hold %q", name, before)
	}
	r.write(name, strings.Replace(string(text), before, after, 1))
}
