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
	log       *asynclog.Handler // of options.Logger
	files     []*os.File        // the listeners; every worker inherits them
	unlinkers []net.Listener    // removing their files when they are closed
	starts    chan func()       // run on the spawner's thread
	working   sync.WaitGroup    // for every worker that is kept running
	exchange  sync.Mutex        // held during Replace

	mu       sync.Mutex
	crashes  budget                  // guarded by mu
	serving  *crew                   // guarded by mu; nil before and after Run
	draining context.Context         // guarded by mu: ended when Run drains
	giveUp   context.CancelCauseFunc // guarded by mu: ends draining
	failures []error                 // guarded by mu: of the last drain
}

// New returns a supervisor that runs nothing yet. The listeners are its own from now
// on.
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

// inherit takes a listener over. Only a Unix one is kept, to remove its file at the
// end: what package net has open wakes this process at every connection.
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

// fileOf duplicates a listener's socket, as a file that os/exec passes on without
// touching it. To what the listener's own method File returns, os/exec does: it turns
// O_NONBLOCK off, at every start of a worker, for all that share the socket.
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
			err = unix.SetNonblock(fd, false) // or os.NewFile would have it polled, too
		}
	})
	if err := errors.Join(cerr, err); err != nil {
		return nil, fmt.Errorf("workers: duplicate the listener %v: %w", ln.Addr(), err)
	}
	return os.NewFile(uintptr(fd), ln.Addr().String()), nil
}

// Run starts the workers and keeps them running until ctx is cancelled. Then it closes
// the listeners, lets the workers drain, and returns when all have ended: nil if every
// one did so in time and with exit status 0. It returns an error, after the same drain,
// when too many workers have crashed. Call it once.
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
	s.exchange.Lock() // a replacement that was under way has retired its crew
	defer s.exchange.Unlock()
	s.working.Wait()

	s.mu.Lock()
	defer s.mu.Unlock()
	if cause := context.Cause(ctx); errors.Is(cause, errCrashes) {
		closed = errors.Join(cause, closed)
	}
	return errors.Join(append(s.failures, closed)...)
}

// logFlushTimeout is how long Run waits for its last log lines. A log that nobody reads
// must not hold up the end of the program.
const logFlushTimeout = 100 * time.Millisecond

func (s *Supervisor) flushLog() {
	ctx, cancel := context.WithTimeout(context.Background(), logFlushTimeout)
	defer cancel()
	_ = s.log.Flush(ctx) // there is nowhere to report it
}

// begin starts the first workers.
func (s *Supervisor) begin(ctx context.Context, giveUp context.CancelCauseFunc) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining != nil {
		return errors.New("workers: Run was called already: a supervisor runs once")
	}
	s.draining, s.giveUp = ctx, giveUp
	go s.spawner()
	s.serving = s.enlist(false)
	return nil
}

// spawner is the thread that all workers are started on: the kernel, where it kills
// them with their parent, takes the thread for the parent. It ends when all have ended.
func (s *Supervisor) spawner() {
	runtime.LockOSThread()
	for start := range s.starts {
		start()
	}
}

// onSpawner runs fn there, between two starts, and waits for it.
func (s *Supervisor) onSpawner(fn func()) {
	done := make(chan struct{})
	s.starts <- func() {
		fn()
		close(done)
	}
	<-done
}

// retire begins the drain: first it closes the listeners, so that the workers are the
// last to hold them. The one that stops accepting last serves the queue, and only then
// clients are refused.
func (s *Supervisor) retire() error {
	err := s.closeFiles()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving.retire()
	s.serving = nil
	return err
}

// Replace starts as many new workers as there are, from what the path of the binary
// holds now, waits until all of them are ready, and has the old ones drain: both
// accept meanwhile, and no client notices. It returns nil when the new ones serve. If
// one of them ends, or is not ready within Options.ReadyTimeout, or ctx ends, they are
// ended, the old ones stay, and the error, which is logged too, says why.
func (s *Supervisor) Replace(ctx context.Context) error {
	s.exchange.Lock()
	defer s.exchange.Unlock()
	s.mu.Lock()
	if s.serving == nil {
		s.mu.Unlock()
		return errNotRunning
	}
	next := s.enlist(true)
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

// crashed notes that a worker has ended by itself, and ends the supervisor if that is
// one too many. It says whether it is.
func (s *Supervisor) crashed(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.crashes.spend(time.Now()) {
		return false
	}
	s.giveUp(fmt.Errorf("%w: more than %d within %v: mend the program, or raise Options.MaxCrashes; the last one: %w",
		errCrashes, s.options.MaxCrashes, s.options.CrashWindow, err))
	return true
}

// drained notes how a worker has ended that was told to, if all were.
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
