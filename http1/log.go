package http1

import (
	"context"
	"log/slog"
	"time"
)

// logAnswer writes the access log's record of an answer. Handlers of log/slog
// escape control bytes: a target cannot forge a line.
func (x *session) logAnswer(log *slog.Logger) {
	r, w := &x.request, &x.response
	log.LogAttrs(context.Background(), slog.LevelInfo, "request",
		slog.String("remote", r.RemoteAddr()),
		slog.String("method", string(r.Method())),
		slog.String("target", string(r.Target())),
		slog.Int("status", w.head.Status),
		slog.Int64("bytes", w.sent),
		slog.Duration("duration", time.Duration(x.conn.Loop().Clock()-x.started)))
}
