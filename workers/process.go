package workers

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// dumpTime is the time between SIGQUIT, which makes a worker write its stacks, and
// SIGKILL.
const dumpTime = time.Second

// process is a worker process, in the supervisor.
type process struct {
	cmd     *exec.Cmd
	orders  *os.File // written to
	reports *os.File // read from
	started time.Time

	ready chan struct{} // closed at the first report
	ended chan struct{} // closed when the process has ended and err is set

	retired atomic.Bool            // ordered to drain
	why     atomic.Pointer[string] // why it is killed; nil if it is not
	err     error                  // returned by Wait
}

// start runs on the spawner's thread.
func (s *Supervisor) start() (*process, error) {
	o := &s.options
	orders, orderer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	reports, reporter, err := os.Pipe()
	if err != nil {
		orders.Close()
		orderer.Close()
		return nil, err
	}
	cmd := exec.Command(o.Path, o.Args...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(withoutWorker(os.Environ()),
		environment+"="+fmt.Sprintf(environmentFormat, len(s.files), o.HeartbeatTimeout/4))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = append([]*os.File{orders, reporter}, s.files...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
	err = cmd.Start()
	orders.Close()
	reporter.Close()
	if err != nil {
		orderer.Close()
		reports.Close()
		return nil, err
	}
	p := &process{
		cmd: cmd, orders: orderer, reports: reports, started: time.Now(),
		ready: make(chan struct{}), ended: make(chan struct{}),
	}
	go p.watch(o.ReadyTimeout, o.HeartbeatTimeout)
	go p.wait()
	return p, nil
}

// withoutWorker removes the variable from the environment, if the supervisor is a worker itself.
func withoutWorker(env []string) (kept []string) {
	for _, v := range env {
		if !strings.HasPrefix(v, environment+"=") {
			kept = append(kept, v)
		}
	}
	return kept
}

// watch reads the reports, and kills a worker that stops sending them.
func (p *process) watch(first, later time.Duration) {
	defer p.reports.Close()
	if !p.reported(first) {
		p.missed("become ready", first) // also while draining: it serves nothing yet
		return
	}
	close(p.ready)
	for p.reported(later) {
	}
	if !p.retired.Load() { // a drain has its own limit
		p.missed("reported", later)
	}
}

// reported waits for a report. It returns false if none arrives within the limit.
func (p *process) reported(limit time.Duration) bool {
	// Two reads: the supervisor itself may have been suspended until after the first deadline.
	return p.read(limit-limit/4) || p.read(limit/4)
}

func (p *process) read(limit time.Duration) bool {
	_ = p.reports.SetReadDeadline(time.Now().Add(limit)) // supported by os.Pipe
	_, err := p.reports.Read(make([]byte, 64))           // consumes queued reports too
	if err == io.EOF {
		// The worker has usually ended, and Wait is about to return. Otherwise it cannot
		// report any more.
		select {
		case <-p.ended:
		case <-time.After(limit):
		}
	}
	return err == nil
}

func (p *process) missed(report string, limit time.Duration) {
	select {
	case <-p.ended:
	default:
		p.kill(fmt.Sprintf("it has not %s for %v", report, limit))
	}
}

// kill ends the process with SIGQUIT, which writes its stacks, then SIGKILL. Any goroutine may call it.
func (p *process) kill(why string) {
	if !p.why.CompareAndSwap(nil, &why) {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGQUIT) // fails if the process has ended
	select {
	case <-p.ended:
	case <-time.After(dumpTime):
		_ = p.cmd.Process.Kill() // likewise
	}
}

// retire orders the process to drain within the limit. It returns when the process has ended.
func (p *process) retire(limit time.Duration) {
	p.retired.Store(true)
	_, _ = p.orders.Write([]byte{1}) // fails if the process has ended
	select {
	case <-p.ended:
	case <-time.After(limit):
		p.kill(fmt.Sprintf("it has not drained for %v", limit))
		<-p.ended
	}
}

// wait waits for the end of the process.
func (p *process) wait() {
	p.err = p.cmd.Wait()
	p.orders.Close()
	close(p.ended)
}

// result is the reason why the process has ended, nil after an ordered drain with exit
// status 0. It may be called when ended is closed.
func (p *process) result() error {
	switch {
	case p.why.Load() != nil:
		return fmt.Errorf("worker %d was killed: %s", p.cmd.Process.Pid, *p.why.Load())
	case p.err != nil:
		return fmt.Errorf("worker %d ended: %w", p.cmd.Process.Pid, p.err)
	case p.retired.Load():
		return nil
	}
	return fmt.Errorf("worker %d ended by itself, with exit status 0", p.cmd.Process.Pid)
}
