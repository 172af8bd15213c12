package eddy

import (
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/defaults"
)

// Options configures an Engine. Defaults are for zero fields. Only SlowCallback may be negative.
type Options struct {
	// Loops is the number of reactor loops, each on its own goroutine. Default: GOMAXPROCS.
	Loops int
	// Logger receives warnings and errors. No callback waits for it: the engine wraps its handler
	// with package asynclog, unless that has been done. Default: slog.Default() of the time of New.
	Logger *slog.Logger

	// MaxConns is how many connections may be open at once, on all listeners. Beyond it clients
	// wait in the kernel's queue, which a drain serves too, or see MaxRefusals. Default: the limit
	// of file descriptors, less a reserve for the rest of the program.
	MaxConns int
	// MaxRefusals is how many connections beyond MaxConns are accepted to be refused: http1
	// responds with 503 and closes them. Another protocol that does not check Conn.Overloaded
	// serves them like all others. They need descriptors too. Default: 0, all wait in the queue.
	MaxRefusals int
	// MaxInput is how many bytes of unused input a connection may keep. Default: 1 MiB.
	MaxInput int
	// HighWater and LowWater bound pending output in bytes: above the first, a connection is not
	// read until it is at the second, but see Conn.EnableFullDuplex. Default: 64 KiB, half of
	// HighWater.
	HighWater, LowWater int
	// MaxOutput is the bytes of pending output beyond which a further write aborts the connection.
	// One write may pass it. At least twice HighWater. Default: 4 MiB, more with a large HighWater.
	MaxOutput int

	// IdleTimeout ends a connection that has sent nothing for this long, unless its protocol sets
	// deadlines itself. Default: 5 minutes.
	IdleTimeout time.Duration
	// WriteTimeout ends a connection whose peer does not read 16 KiB of output, or all there is, in
	// this time. On Linux, a TCP connection whose peer acknowledges nothing ends a second later
	// (tcp(7), TCP_USER_TIMEOUT). Default: 30 s.
	WriteTimeout time.Duration
	// LingerTimeout and LingerBytes bound discarding input after Close. Default: 5 s, 64 MiB.
	LingerTimeout time.Duration
	LingerBytes   int64

	// DrainDelay is how long a drain is only announced, by Draining, while all goes on: the time
	// that load balancers need to send their clients elsewhere. Default: 0.
	DrainDelay time.Duration
	// DrainGrace is how long a drain keeps idle connections, for late requests. Default: 500 ms.
	DrainGrace time.Duration
	// DrainTimeout is how long the drain that ends Run may take, after DrainDelay, before the
	// remaining connections are cut off. Default: 30 s.
	DrainTimeout time.Duration

	// SlowCallback is how long a callback may block its loop before it is counted in
	// Stats.SlowCallbacks and logged: with the loop's stack while it lasts, and with its connection
	// afterwards. One longer than 1.5 times this is always counted, a shorter one than this never.
	// A negative value turns the watchdog off. Default: 100 ms; at least 1 ms.
	SlowCallback time.Duration
}

// withDefaults returns the options filled in, or an error that names the field.
func (o Options) withDefaults() (Options, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	d := defaults.Of("eddy: Options")
	defaults.Set(d, "Loops", &o.Loops, runtime.GOMAXPROCS(0))
	defaults.Set(d, "MaxConns", &o.MaxConns, defaultMaxConns())
	defaults.Set(d, "MaxRefusals", &o.MaxRefusals, 0)
	defaults.Set(d, "MaxInput", &o.MaxInput, 1<<20)
	defaults.Set(d, "HighWater", &o.HighWater, 64<<10)
	defaults.Set(d, "MaxOutput", &o.MaxOutput, max(4<<20, 4*o.HighWater))
	defaults.Set(d, "LowWater", &o.LowWater, o.HighWater/2)
	defaults.Set(d, "IdleTimeout", &o.IdleTimeout, 5*time.Minute)
	defaults.Set(d, "WriteTimeout", &o.WriteTimeout, 30*time.Second)
	defaults.Set(d, "LingerTimeout", &o.LingerTimeout, 5*time.Second)
	defaults.Set(d, "DrainDelay", &o.DrainDelay, 0)
	defaults.Set(d, "DrainGrace", &o.DrainGrace, 500*time.Millisecond)
	defaults.Set(d, "DrainTimeout", &o.DrainTimeout, 30*time.Second)
	defaults.Set(d, "LingerBytes", &o.LingerBytes, 64<<20)
	if err := d.Err(); err != nil {
		return o, err
	}
	if o.SlowCallback == 0 {
		o.SlowCallback = 100 * time.Millisecond
	}
	switch {
	case o.SlowCallback > 0 && o.SlowCallback < time.Millisecond:
		return o, fmt.Errorf("eddy: Options.SlowCallback is %v: use 1ms or more, or a negative value to turn it off", o.SlowCallback)
	case o.LowWater > o.HighWater:
		return o, fmt.Errorf("eddy: Options.LowWater is %d, above HighWater, %d: lower it", o.LowWater, o.HighWater)
	case o.MaxOutput/2 < o.HighWater:
		return o, fmt.Errorf("eddy: Options.MaxOutput is %d, below twice HighWater, which is %d: raise it", o.MaxOutput, o.HighWater)
	}
	return o, nil
}

// Settings are those that connections start with. The error is that of New.
func (o Options) Settings() (Settings, error) {
	o, err := o.withDefaults()
	return o.settings(), err
}

// settings is Settings for options that are filled in.
func (o *Options) settings() Settings {
	return Settings{
		LowWater:      int64(o.LowWater),
		HighWater:     int64(o.HighWater),
		MaxOutput:     int64(o.MaxOutput),
		MaxInput:      o.MaxInput,
		IdleTimeout:   o.IdleTimeout,
		WriteTimeout:  o.WriteTimeout,
		LingerTimeout: o.LingerTimeout,
		LingerBytes:   o.LingerBytes,
		DrainGrace:    o.DrainGrace,
	}
}

// defaultMaxConns leaves some descriptors to the rest of the program.
func defaultMaxConns() int {
	const reserve = 64
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxInt
	}
	n := int64(min(uint64(limit.Cur), math.MaxInt32))
	return int(max(n-reserve, n/2, 1))
}
