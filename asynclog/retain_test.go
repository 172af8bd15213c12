package asynclog_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/eddynet/eddy/asynclog"
)

func decode(line string) (fields map[string]any, err error) {
	return fields, json.Unmarshal([]byte(line), &fields)
}

// counter resolves to a value that grows.
type counter struct{ n *int }

func (c counter) LogValue() slog.Value {
	*c.n++
	return slog.GroupValue(slog.Int("n", *c.n), slog.Any("bytes", []byte("abc")))
}

func TestValuesAreCapturedAtTheCall(t *testing.T) {
	var out output
	h := asynclog.New(text(&out))
	l := slog.New(h)
	release := stuck(t, &out, l)
	n := 0
	bytes, raw := []byte("GET"), json.RawMessage(`{"a":1}`)
	l.Info("a line", "bytes", bytes, "raw", raw, "valuer", counter{&n}, slog.Group("group", "bytes", bytes, "valuer", counter{&n}), "nil", []byte(nil), "n", 7)
	copy(bytes, "PUT")
	copy(raw, "xxxxxxx")
	n = 10
	release()
	flush(t, h)
	const want = `level=INFO msg="a line" bytes="GET" raw="{\"a\":1}" valuer.n=1 valuer.bytes="abc" group.bytes="GET" group.valuer.n=2 group.valuer.bytes="abc" nil="" n=7`
	if got := out.lines()[1]; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestValuesKeepTheirTypes(t *testing.T) {
	var out output
	h := asynclog.New(slog.NewJSONHandler(&out, nil))
	slog.New(h).Info("a line", "raw", json.RawMessage(`{"a":1}`), "error", context.Canceled)
	flush(t, h)
	got, err := decode(out.lines()[0])
	if err != nil || got["error"] != "context canceled" || got["raw"].(map[string]any)["a"] != 1.0 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestOrdinaryLineCostsNoAllocation(t *testing.T) {
	var out output
	h := asynclog.New(text(&out))
	l := slog.New(h)
	release := stuck(t, &out, l)
	line := func() {
		l.LogAttrs(context.Background(), slog.LevelInfo, "a line",
			slog.String("method", "GET"), slog.Int("status", 200), slog.Bool("last", true))
	}
	// The average is rounded down: there is one allocation per 64 queued records.
	if n := testing.AllocsPerRun(1000, line); n != 0 || h.Dropped() > 0 {
		t.Errorf("%v allocations, %d dropped", n, h.Dropped())
	}
	release()
	flush(t, h)
}
