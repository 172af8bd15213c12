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

// dumpTime is how long a worker that does not report has to write its stacks, which
// SIGQUIT asks it for, before it is killed.
const dumpTime = time.Second

// process is one worker, as the supervisor sees it.
type process struct {
	cmd     *exec.Cmd
	orders  *os.File // written to
	reports *os.File // read from
	begun   time.Time

	ready chan struct{} // closed at the first report
	ended chan struct{} // closed when it has ended; then err is set

	retired atomic.Bool            // told to drain
	why     atomic.Pointer[string] // it is killed; nil if it is not
	err     error                  // of Wait
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
		environment+"="+fmt.Sprintf(passed, len(s.files), o.HeartbeatTimeout/4))
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
		cmd: cmd, orders: orderer, reports: reports, begun: time.Now(),
		ready: make(chan struct{}), ended: make(chan struct{}),
	}
	go p.watch(o.ReadyTimeout, o.HeartbeatTimeout)
	go p.wait()
	return p, nil
}

// withoutWorker is for a supervisor that was a worker's child.
func withoutWorker(env []string) (kept []string) {
	for _, v := range env {
		if !strings.HasPrefix(v, environment+"=") {
			kept = append(kept, v)
		}
	}
	return kept
}

// watch reads the reports, and kills a worker that does not send any.
func (p *process) watch(first, later time.Duration) {
	defer p.reports.Close()
	if !p.reported(first) {
		p.missed("become ready", first) // also if it is to drain: it has little to finish
		return
	}
	close(p.ready)
	for p.reported(later) {
	}
	if !p.retired.Load() { // else its end has a limit of its own
		p.missed("reported", later)
	}
}

// reported waits for a report, and says whether one came within the limit.
func (p *process) reported(limit time.Duration) bool {
	// Twice, in case it is this process that was held up.
	return p.read(limit-limit/4) || p.read(limit/4)
}

func (p *process) read(limit time.Duration) bool {
	_ = p.reports.SetReadDeadline(time.Now().Add(limit)) // a pipe of package os takes it
	_, err := p.reports.Read(make([]byte, 64))           // several, if they have queued up
	if err == io.EOF {
		// The worker has ended, as a rule: its end is on its way. If not, it is silent.
		select {
		case <-p.ended:
		case <-time.After(limit):
		}
	}
	return err == nil
}

func (p *process) missed(what string, limit time.Duration) {
	select {
	case <-p.ended:
	default:
		p.kill(fmt.Sprintf("it has not %s for %v", what, limit))
	}
}

// kill ends the process, with its stacks written if it still can. Any goroutine.
func (p *process) kill(why string) {
	if !p.why.CompareAndSwap(nil, &why) {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGQUIT) // an error says that it has ended
	select {
	case <-p.ended:
	case <-time.After(dumpTime):
		_ = p.cmd.Process.Kill() // likewise
	}
}

// retire tells it to drain, within the time limit. It returns when it has ended.
func (p *process) retire(limit time.Duration) {
	p.retired.Store(true)
	_, _ = p.orders.Write([]byte{1}) // an error says that it has ended
	select {
	case <-p.ended:
	case <-time.After(limit):
		p.kill(fmt.Sprintf("it has not drained for %v", limit))
		<-p.ended
	}
}

// wait notes the end.
func (p *process) wait() {
	p.err = p.cmd.Wait()
	p.orders.Close()
	close(p.ended)
}

// verdict is why the process has ended, nil if it was told to and all was well. It may
// be called when ended is closed.
func (p *process) verdict() error {
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
