//go:build linux

package unix

import (
	"time"

	"golang.org/x/sys/unix"
)

// interruptEvery is the number of blocking waits per simulated EINTR.
const interruptEvery = 8

// wait returns up to len(events) events. The deadline applies only if limited.
func (q *queue) wait(events []Kevent_t, deadline time.Time, limited bool) (int, error) {
	for {
		if n := q.poll(events); n > 0 {
			return n, nil
		}
		left := time.Until(deadline)
		if limited && left <= 0 {
			return 0, nil
		}
		if q.sleeps.Add(1)%interruptEvery == 0 {
			return -1, unix.EINTR
		}
		var limit *unix.Timespec
		if limited {
			ts := unix.NsecToTimespec(int64(left))
			limit = &ts
		}
		if err := q.sleep(limit); err != nil {
			return -1, err
		}
	}
}

// poll returns the active events.
func (q *queue) poll(events []Kevent_t) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.collect()
	return q.scan(events)
}

// sleep blocks until a state change, a wake-up or the limit. It may return EINTR.
func (q *queue) sleep(limit *unix.Timespec) error {
	fds := [...]unix.PollFd{
		{Fd: int32(q.fd), Events: unix.POLLIN},
		{Fd: int32(q.sets[0]), Events: unix.POLLIN},
		{Fd: int32(q.sets[1]), Events: unix.POLLIN},
	}
	_, err := unix.Ppoll(fds[:], limit, nil)
	return err
}

// collect activates the notes with a state change, if their filters are true.
func (q *queue) collect() {
	_, _ = unix.Read(q.fd, q.count[:]) // EAGAIN: no wake-up
	for i, set := range q.sets {
		for more := true; more; {
			n, err := unix.EpollWait(set, q.ready[:], 0)
			if err == unix.EINTR {
				continue
			}
			more = err == nil && n == len(q.ready)
			for _, event := range q.ready[:max(n, 0)] {
				note := &q.files[event.Fd].notes[i]
				if !note.attached || note.generation != event.Pad {
					continue
				}
				if ok, _ := q.check(note); ok {
					q.activate(note)
				}
			}
		}
	}
}

// scan reports the active notes in turn. A level-triggered note is appended again, until
// its filter is false.
func (q *queue) scan(events []Kevent_t) (n int) {
	next := 0
	kept := q.kept[:0]
	for ; next < len(q.active) && n < len(events); next++ {
		note := q.active[next]
		if note == nil {
			continue
		}
		ok, k := q.check(note)
		if q.active[next] == nil {
			continue // check found the descriptor closed
		}
		note.active = ok && !note.clear
		if note.active {
			kept = append(kept, note)
		}
		if !ok {
			continue
		}
		if note.clear {
			note.triggered = false
		}
		events[n] = k
		n++
	}
	rest := q.active[:copy(q.active, q.active[next:])]
	for _, note := range kept {
		if note.active { // not removed meanwhile
			rest = append(rest, note)
		}
	}
	q.active, q.kept = rest, kept
	return n
}
