package api

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/serve"
	v1 "github.com/postern-io/postern/pkg/api/v1"
)

// block blocks a key, as somebody else would.
func (w *world) block(name string) {
	_, err := w.ring.Update("root", w.ring.ByName(name).ID,
		func(k *access.Key) error { k.Status = access.Blocked; return nil },
		func(_, _ *access.Key) error { return nil })
	if err != nil {
		w.Error(err)
	}
}

// later is a body of which the rest comes when something has happened.
func later(first string, happens func(), rest string) io.Reader {
	return io.MultiReader(strings.NewReader(first), once(happens), strings.NewReader(rest))
}

// once is a reader of nothing that has something happen.
type once func()

func (f once) Read([]byte) (int, error) { f(); return 0, io.EOF }

// An import that a key began changes nothing when the key is blocked before its
// end, and takes no more than another thousand lines.
func TestImportByABlockedKey(t *testing.T) {
	for name, rest := range map[string]string{"few-lines": "10.1.9.9\n", "many-lines": strings.Repeat("10.1.9.9\n", 5000)} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			secret := w.key(access.Key{Name: "office", Role: access.TenantAdmin, Tenant: "acme"})
			was := w.list("tenants/acme/*")
			r := httptest.NewRequest("POST", v1.Base+"/lists/tenants/acme/*/import", later("10.1.9.8\n", func() { w.block("office") }, rest))
			r.Header = http.Header{"Content-Type": {"text/plain"}, "Authorization": {"Bearer " + secret}}
			rec := httptest.NewRecorder()
			w.server.ServeHTTP(rec, r.WithContext(serve.WithPeer(r.Context(), serve.Peer{Addr: netip.MustParseAddrPort("10.1.0.9:1")})))
			lines := strings.Split(strings.TrimSpace(rec.Body.String()), "\n")
			var last struct{ Summary v1.ImportSummary }
			if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
				t.Fatal(err)
			}
			if s := last.Summary; s.Applied || s.Lines > 1000 || s.Refusal.Detail != "key office is not good any more" {
				t.Errorf("summary %+v", s)
			}
			if is := w.list("tenants/acme/*"); is != was {
				t.Errorf("the list is %s", is)
			}
		})
	}
}

// A stream ends with the key that began it.
func TestEventsForABlockedKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		secret := w.key(access.Key{Name: "watcher", Role: access.Admin})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.do("GET /events", secret, "from 10.1.0.9")
		}()
		select {
		case <-ended:
			t.Fatal("the stream ended by itself")
		case <-time.After(10 * heartbeat): // by the bubble's clock
		}
		w.block("watcher")
		select {
		case <-ended:
		case <-time.After(2 * heartbeat):
			t.Fatal("still watching")
		}
	})
}
