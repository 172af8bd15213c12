package workpool_test

import (
	"runtime"
	"testing"

	"github.com/eddynet/eddy/internal/workpool"
)

func BenchmarkJob(b *testing.B) {
	pool := workpool.New(4, 4)
	defer pool.Close()
	done := make(chan bool, 1)
	job := func() { done <- true }
	b.ReportAllocs()
	for b.Loop() {
		pool.Go(job)
		<-done
	}
	runtime.Gosched()
}
