package workers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/asynclog"
)

// Supervisor runs worker processes. Its methods may be called from any goroutine.
type Supervisor struct {
	options   Options
	log       *asynclog.Handler // the handler of options.Logger
	files     []*os.File        // the listeners, inherited by every worker
	unlinkers []net.Listener    // Unix listeners: their Close removes the socket file
	starts    chan func()       // run on the spawner's thread
	working   sync.WaitGroup    // one per crew.keep
	replacing sync.Mutex        // locked during Replace

	mu       sync.Mutex
	crashes  budget                  // guarded by mu
	serving  *crew                   // guarded by mu; nil before and after Run
	draining context.Context         // guarded by mu: done when Run drains
	giveUp   context.CancelCauseFunc // guarded by mu: cancels draining
	failures []error                 // guarded by mu: of workers in the last drain
}

// New returns a supervisor without workers. It takes ownership of the listeners.
func New(options Options) (*Supervisor, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	log := asynclog.New(options.Logger.Handler())
	options.Logger = slog.New(log)
	s := &Supervisor{
		options: options,
		log:     log,
		starts:  make(chan func()),
		crashes: budget{most: options.MaxCrashes, window: options.CrashWindow},
	}
	for _, ln := range options.Listeners {
		if err := s.inherit(ln); err != nil {
			return nil, errors.Join(err, s.closeFiles())
		}
	}
	return s, nil
}

// inherit duplicates a listener's socket and closes the listener, since package net's
// poller would wake the supervisor at every connection. A Unix listener is kept open, to
// remove its file at the end.
func (s *Supervisor) inherit(ln net.Listener) error {
	f, err := fileOf(ln)
	if err != nil {
		return err
	}
	s.files = append(s.files, f)
	if _, ok := ln.(*net.UnixListener); ok {
		s.unlinkers = append(s.unlinkers, ln)
		return nil
	}
	return ln.Close()
}

// fileOf duplicates a listener's socket as a file that os/exec passes on unchanged.
// os/exec clears O_NONBLOCK of a file returned by the listener's File method, at every
// start of a worker, for all processes that share the socket.
func fileOf(ln net.Listener) (*os.File, error) {
	with, ok := ln.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("workers: a listener of type %T cannot be inherited: use one of net.Listen", ln)
	}
	raw, err := with.SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd int
	cerr := raw.Control(func(original uintptr) {
		if fd, err = unix.FcntlInt(original, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			err = unix.SetNonblock(fd, false) // otherwise os.NewFile adds it to the runtime's poller
		}
	})
	if err := errors.Join(cerr, err); err != nil {
		return nil, fmt.Errorf("workers: duplicate the listener %v: %w", ln.Addr(), err)
	}
	return os.NewFile(uintptr(fd), ln.Addr().String()), nil
}

// Run starts the workers and keeps them running until ctx is cancelled. Then it closes
// the listeners, drains the workers, and returns when all have ended: nil if every
// worker did so in time and with exit status 0. After too many crashes it drains as
// well, and returns an error. Call it once.
func (s *Supervisor) Run(ctx context.Context) error {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	if err := s.begin(ctx, giveUp); err != nil {
		return err
	}
	defer s.flushLog()
	defer close(s.starts)

	<-ctx.Done()
	var closed error
	s.onSpawner(func() { closed = s.retire() })
	s.replacing.Lock() // waits until a concurrent Replace has retired its crew
	defer s.replacing.Unlock()
	s.working.Wait()

	s.mu.Lock()
	defer s.mu.Unlock()
	if cause := context.Cause(ctx); errors.Is(cause, errCrashes) {
		closed = errors.Join(cause, closed)
	}
	return errors.Join(append(s.failures, closed)...)
}

// logFlushTimeout limits Run's wait for its last log lines. A log that nobody reads must
// not delay the end of the program.
const logFlushTimeout = 100 * time.Millisecond

func (s *Supervisor) flushLog() {
	ctx, cancel := context.WithTimeout(context.Background(), logFlushTimeout)
	defer cancel()
	_ = s.log.Flush(ctx) // an error cannot be logged
}

// begin starts the first workers.
func (s *Supervisor) begin(ctx context.Context, giveUp context.CancelCauseFunc) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining != nil {
		return errors.New("workers: Run was called before: a supervisor runs once")
	}
	s.draining, s.giveUp = ctx, giveUp
	go s.spawner()
	s.serving = s.startCrew(false)
	return nil
}

// spawner runs on the thread that starts all workers: for dieWithParent, the kernel
// treats that thread as the parent. It ends when all workers have ended.
func (s *Supervisor) spawner() {
	runtime.LockOSThread()
	for start := range s.starts {
		start()
	}
}

// onSpawner runs fn on the spawner's thread, and waits for it.
func (s *Supervisor) onSpawner(fn func()) {
	done := make(chan struct{})
	s.starts <- func() {
		fn()
		close(done)
	}
	<-done
}

// retire begins the drain. It closes the listeners first, so that only workers have them
// open. The last worker to stop accepting serves the queue; only then are clients
// refused.
func (s *Supervisor) retire() error {
	err := s.closeFiles()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving.retire()
	s.serving = nil
	return err
}

// Replace starts the same number of new workers from the file now at the binary's path,
// waits until all are ready, and drains the old ones. Both accept meanwhile, so that no
// client is refused. It returns nil when the new ones serve. If a new worker ends or is
// not ready within Options.ReadyTimeout, or ctx is done, the new ones are stopped, the
// old ones stay, and Replace logs and returns the error.
func (s *Supervisor) Replace(ctx context.Context) error {
	s.replacing.Lock()
	defer s.replacing.Unlock()
	s.mu.Lock()
	if s.serving == nil {
		s.mu.Unlock()
		return errNotRunning
	}
	next := s.startCrew(true)
	draining := s.draining
	s.mu.Unlock()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(draining, func() { cancel(errDraining) })()
	err := next.outcome(ctx)

	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && s.serving != nil {
		s.serving.retire()
		s.serving = next
		return nil
	}
	next.retire()
	if err != nil {
		err = fmt.Errorf("workers: the new workers are not ready, the old ones stay: %w", err)
		s.options.Logger.Error("workers: no replacement", "error", err)
		return err
	}
	return errNotRunning
}

var errCrashes = errors.New("workers: too many crashes")

// crashed records that a worker has ended by itself. One crash too many ends the
// supervisor and returns true.
func (s *Supervisor) crashed(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.crashes.spend(time.Now()) {
		return false
	}
	s.giveUp(fmt.Errorf("%w: more than %d within %v: fix the program or raise Options.MaxCrashes; the last one: %w",
		errCrashes, s.options.MaxCrashes, s.options.CrashWindow, err))
	return true
}

// drained records the failure of a worker in the supervisor's drain.
func (s *Supervisor) drained(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && err != errDraining && s.draining.Err() != nil {
		s.failures = append(s.failures, err)
	}
}

func (s *Supervisor) closeFiles() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Close())
	}
	for _, ln := range s.unlinkers {
		errs = append(errs, ln.Close())
	}
	return errors.Join(errs...)
}
