package testenv

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

func (s *Scenario) parseRows(text string) error {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := s.parseRow(line); err != nil {
			return fmt.Errorf("row %s: %w", line, err)
		}
	}
	return nil
}

func (s *Scenario) parseRow(line string) error {
	question, want, ok := strings.Cut(line, " : ")
	if !ok {
		return errors.New("no verdict after a colon")
	}
	words, err := splitWords(question)
	if err != nil {
		return err
	}
	k := keys{words: words[1:]}
	row := Row{Text: strings.Join(strings.Fields(line), " "), At: k.time("at", DecisionTime), Want: strings.Join(strings.Fields(want), " ")}
	switch words[0] {
	case "decide":
		s.Decides = append(s.Decides, DecideRow{Row: row, Query: policy.Query{
			Endpoint: k.endpoint("endpoint", s.State), Addr: k.addr("addr"),
			Tenant: k.text("tenant"), User: k.text("user"), Resource: k.text("resource"), TruePeer: k.flag("peer"),
		}})
	case "packet":
		s.Packets = append(s.Packets, PacketRow{
			Row: row, Src: k.addr("src"), Dst: k.addr("dst"), Proto: k.protocol("proto"), Port: k.port("port"),
		})
	case "request":
		s.Requests = append(s.Requests, RequestRow{
			Row: row, Endpoint: k.named("endpoint", s.State).Name,
			Peer: k.addr("peer"), Host: k.text("host"), XFF: k.texts("xff"),
		})
	default:
		return fmt.Errorf("kind %q", words[0])
	}
	return k.done()
}

// splitWords splits at blanks outside quotes, and drops the quotes.
func splitWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	quoted, any := false, false
	for _, c := range text + " " {
		switch {
		case c == '"':
			quoted, any = !quoted, true
		case c == ' ' && !quoted:
			if any {
				words = append(words, word.String())
			}
			word.Reset()
			any = false
		default:
			word.WriteRune(c)
			any = true
		}
	}
	if quoted {
		return nil, errors.New("a quote is not closed")
	}
	return words, nil
}

// keys are a row's key=value words; each is taken once, and what is left over or
// wrong is told at the end.
type keys struct {
	words []string
	err   error
}

func (k *keys) texts(key string) []string {
	var values []string
	k.words = slices.DeleteFunc(k.words, func(w string) bool {
		v, ok := strings.CutPrefix(w, key+"=")
		if ok {
			values = append(values, v)
		}
		return ok
	})
	return values
}

func (k *keys) text(key string) string {
	values := k.texts(key)
	if len(values) == 0 {
		return ""
	}
	if len(values) > 1 {
		k.fail(fmt.Errorf("%s twice", key))
	}
	return values[0]
}

func (k *keys) flag(word string) bool {
	i := slices.Index(k.words, word)
	if i < 0 {
		return false
	}
	k.words = slices.Delete(k.words, i, i+1)
	return true
}

func (k *keys) addr(key string) netip.Addr {
	text := k.text(key)
	if text == "none" {
		return netip.Addr{}
	}
	ip, err := netip.ParseAddr(text)
	k.fail(err)
	return ip
}

func (k *keys) port(key string) uint16 {
	text := k.text(key)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 16)
	k.fail(err)
	return uint16(n)
}

func (k *keys) protocol(key string) policy.Protocol {
	text := k.text(key)
	for _, p := range []policy.Protocol{policy.TCP, policy.UDP, policy.AnyProtocol} {
		if p.String() == text {
			return p
		}
	}
	k.fail(fmt.Errorf("%s %q", key, text))
	return policy.TCP
}

func (k *keys) time(key string, otherwise time.Time) time.Time {
	text := k.text(key)
	if text == "" {
		return otherwise
	}
	at, err := time.Parse(time.RFC3339, text)
	k.fail(err)
	return at
}

// endpoint is the state's endpoint of that name; nil where the row names none.
func (k *keys) endpoint(key string, s *policy.State) *policy.Endpoint {
	if !slices.ContainsFunc(k.words, func(w string) bool { return strings.HasPrefix(w, key+"=") }) {
		return nil
	}
	return k.named(key, s)
}

func (k *keys) named(key string, s *policy.State) *policy.Endpoint {
	name := k.text(key)
	i := slices.IndexFunc(s.Endpoints, func(ep *policy.Endpoint) bool { return ep.Name == name })
	if i < 0 {
		k.fail(fmt.Errorf("no endpoint %q", name))
		return &policy.Endpoint{}
	}
	return s.Endpoints[i]
}

func (k *keys) fail(err error) {
	if k.err == nil {
		k.err = err
	}
}

func (k *keys) done() error {
	if k.err == nil && len(k.words) > 0 {
		return fmt.Errorf("%s: not a key of its kind", strings.Join(k.words, " "))
	}
	return k.err
}
