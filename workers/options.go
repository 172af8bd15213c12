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

// Options configures a Supervisor. A zero field has the default in its comment. A
// negative value is an error.
type Options struct {
	// Workers is the number of processes. Default: GOMAXPROCS.
	Workers int
	// Path is the binary, and Args are the arguments after its name. Default: those of
	// this program, unchanged: a symbolic link is resolved again at each start. A
	// relative path refers to the working directory at the call of New.
	Path string
	Args []string
	// Listeners are inherited by the workers in this order. They are TCP or Unix
	// listeners of package net. The supervisor owns them; Run closes them at its end.
	// net.FileListener converts a socket opened by a service manager.
	Listeners []net.Listener
	// Logger receives starts, ends and failed replacements. The supervisor does not wait
	// for it: it wraps the handler with package asynclog, if necessary.
	// Default: slog.Default() at the call of New.
	Logger *slog.Logger

	// ReadyTimeout limits the time from start to the first report. Default: 30 s.
	ReadyTimeout time.Duration
	// HeartbeatTimeout limits the time between two reports. A worker reports four
	// times as often. Default: 10 s.
	HeartbeatTimeout time.Duration
	// DrainTimeout limits the drain of a worker. Make it longer than the worker's own
	// limits, such as those of its engine. Default: 40 s.
	DrainTimeout time.Duration

	// RestartDelay is the delay before the restart of a worker that has served for less
	// than a second. It doubles up to MaxRestartDelay. Default: 100 ms, 10 s.
	RestartDelay, MaxRestartDelay time.Duration
	// MaxCrashes is the number of workers that may end by themselves within
	// CrashWindow. Default: 5 for each worker, 1 minute.
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

// binary returns the absolute path of the workers' binary. os.Executable would resolve
// symbolic links once, and name the replaced file later.
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
