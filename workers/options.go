package workers

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/eddynet/eddy/internal/defaults"
)

// Options configures a Supervisor. A field that is zero has the default that its
// comment gives. A negative value is an error.
type Options struct {
	// Workers is the number of processes. Default: GOMAXPROCS.
	Workers int
	// Path is the binary, and Args what follows its name. Default: those of this
	// program, as they were given: a path that leads over a symbolic link is followed
	// anew at each start. A relative one counts from the directory that New is called in.
	Path string
	Args []string
	// Listeners are what workers inherit, TCP or Unix ones of package net, in this
	// order. The supervisor takes them over; Run closes them at its end. For a socket
	// that a service manager has opened there is net.FileListener.
	Listeners []net.Listener
	// Logger receives starts, ends and refused replacements. The supervisor does not wait
	// for it: it wraps its handler with package asynclog, unless that has been done.
	// Default: slog.Default(), as it is when New is called.
	Logger *slog.Logger

	// ReadyTimeout is how long a worker may take until it is ready. Default: 30 s.
	ReadyTimeout time.Duration
	// HeartbeatTimeout is how long a worker may be silent. It reports four times as
	// often. Default: 10 s.
	HeartbeatTimeout time.Duration
	// DrainTimeout is how long a worker may take to drain. Make it longer than the
	// worker's own limits, such as those of its engine. Default: 40 s.
	DrainTimeout time.Duration

	// RestartDelay is how long to wait before a worker is started again that had not
	// served for a second; it doubles up to MaxRestartDelay. Default: 100 ms, 10 s.
	RestartDelay, MaxRestartDelay time.Duration
	// MaxCrashes is how many workers may end by themselves within CrashWindow.
	// Default: 5 for each worker, 1 minute.
	MaxCrashes  int
	CrashWindow time.Duration
}

func (o Options) withDefaults() (Options, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	d := defaults.Of("workers: Options")
	defaults.Set(d, "Workers", &o.Workers, runtime.GOMAXPROCS(0))
	defaults.Set(d, "MaxCrashes", &o.MaxCrashes, 5*o.Workers)
	defaults.Set(d, "ReadyTimeout", &o.ReadyTimeout, 30*time.Second)
	defaults.Set(d, "HeartbeatTimeout", &o.HeartbeatTimeout, 10*time.Second)
	defaults.Set(d, "DrainTimeout", &o.DrainTimeout, 40*time.Second)
	defaults.Set(d, "RestartDelay", &o.RestartDelay, 100*time.Millisecond)
	defaults.Set(d, "MaxRestartDelay", &o.MaxRestartDelay, max(10*time.Second, o.RestartDelay))
	defaults.Set(d, "CrashWindow", &o.CrashWindow, time.Minute)
	if err := d.Err(); err != nil {
		return o, err
	}
	if o.RestartDelay > o.MaxRestartDelay {
		return o, fmt.Errorf("workers: Options.RestartDelay is %v, above MaxRestartDelay, %v: lower it", o.RestartDelay, o.MaxRestartDelay)
	}
	var err error
	o.Path, err = binary(o.Path)
	if o.Args == nil {
		o.Args = os.Args[1:]
	}
	return o, err
}

// binary is the absolute path of what workers run. os.Executable would follow symbolic
// links, once and for all, and name the file that was replaced.
func binary(path string) (string, error) {
	if path == "" {
		path = os.Args[0]
	}
	found, err := exec.LookPath(path)
	if err != nil {
		return "", fmt.Errorf("workers: the binary %s: %w: give Options.Path", path, err)
	}
	return filepath.Abs(found)
}
