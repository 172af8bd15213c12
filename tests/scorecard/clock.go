package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockBeyond starts a server just before its monotonic clock passes a power of two of
// milliseconds, and checks its timers meanwhile.
func clockBeyond(bits int) func(*trial) error {
	return func(t *trial) error {
		name := fmt.Sprintf("clock across 2^%d ms", bits)
		if !t.has("unshare", name) {
			return nil
		}
		uptime, err := os.ReadFile("/proc/uptime")
		if err != nil {
			t.skip(name, "needs the time namespaces of Linux")
			return nil
		}
		word, _, _ := strings.Cut(string(uptime), " ")
		now, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return err
		}
		const ahead = 2 * time.Second // until the clock passes that time
		offset := int64(1)<<bits/1000 - int64(now) - int64(ahead.Seconds())
		inside := []string{"unshare", "--time", "--monotonic", strconv.FormatInt(offset, 10), "--fork", "--kill-child"}
		if out, err := t.command(inside[0], append(inside[1:], "true")...); err != nil {
			t.skip(name, "no time namespace: "+strings.TrimSpace(out))
			return nil
		}
		d := deadline.String()
		s, err := t.startUnder(inside, "-listen", "127.0.0.1:0", "-header-timeout", d, "-idle-timeout", d)
		if err != nil {
			return err
		}
		took := make([]time.Duration, 3)
		err = parallel(len(took), func(i int) error {
			c, err := dial(t.ctx, s.address)
			if err != nil {
				return err
			}
			defer c.reset()
			from := time.Now()
			switch i {
			case 0:
				took[i] = c.ended(from)
				return nil
			case 1:
				err = c.want(get("/sleep?ms=3000"), "slept")
			case 2:
				for time.Since(from) < 4*time.Second && err == nil {
					at := time.Now()
					err = c.want(get("/sleep?ms=50"), "slept")
					took[i] = max(took[i], time.Since(at))
				}
				return err
			}
			took[i] = time.Since(from)
			return err
		})
		if err != nil {
			return err
		}
		within(t, name+": a silent client is closed after", took[0], deadline-50*time.Millisecond, deadline+time.Second)
		within(t, name+": a response after 3 s arrives after", took[1], 3*time.Second, 3500*time.Millisecond)
		within(t, name+": the slowest response after 50 ms", took[2], 50*time.Millisecond, 500*time.Millisecond)
		return nil
	}
}
