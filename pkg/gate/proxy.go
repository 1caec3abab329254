package gate

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/postern-io/postern/pkg/gate/clientip"
)

// newProxy hands on what the gate let through, to upstream.
func newProxy(upstream *url.URL, transport http.RoundTripper, log *slog.Logger) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(pr *httputil.ProxyRequest) { rewrite(pr, upstream) },
		Transport: transport,
		ErrorLog:  slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil { // else it is the client that went away
				log.Warn("upstream did not answer", "err", err)
			}
			respond(w, r, http.StatusBadGateway, "bad-gateway", "the service did not answer")
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect || r.RequestURI == "*" {
			respond(w, r, http.StatusMethodNotAllowed, "method-not-allowed", "only a path can be asked for here")
			return
		}
		proxy.ServeHTTP(w, r)
	})
}

// rewrite makes the upstream's request: the bytes that were judged, with our word
// on where they came from in place of anyone else's. It runs after the hop-by-hop
// headers are gone, so a "Connection: X-Forwarded-For" cannot take ours away.
func rewrite(pr *httputil.ProxyRequest, upstream *url.URL) {
	pr.SetURL(upstream)
	pr.Out.URL.RawQuery = pr.In.URL.RawQuery // ReverseProxy would tidy it
	pr.Out.Host = pr.In.Host
	strip(pr.Out.Header)
	pr.Out.Trailer = nil // it comes after the verdict
	d, _ := DecisionOf(pr.In.Context())
	if d.Client.IsValid() {
		pr.Out.Header.Set("X-Forwarded-For", d.Client.String())
	}
	pr.Out.Header.Set("X-Forwarded-Host", pr.In.Host)
	pr.Out.Header.Set("X-Forwarded-Proto", scheme(pr.In, d.Vouched))
}

func strip(header http.Header) {
	for name := range header {
		if clientip.IsForwarding(name) {
			delete(header, name)
		}
	}
}

// scheme is how the client speaks to us, or to the declared proxy that ends TLS
// before us.
func scheme(r *http.Request, vouched bool) string {
	given := r.Header["X-Forwarded-Proto"]
	switch {
	case vouched && len(given) == 1 && (given[0] == "http" || given[0] == "https"):
		return given[0]
	case r.TLS != nil:
		return "https"
	}
	return "http"
}
