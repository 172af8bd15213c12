package sample

import (
	"testing"
	"time"
)

func TestDerivedFigures(t *testing.T) {
	s := Sample{Requests: 4, CPU: 20 * time.Microsecond, Elapsed: 2 * time.Second}
	if s.PerRequest() != 5*time.Microsecond || s.Rate() != 2 {
		t.Error(s.PerRequest(), s.Rate())
	}
	if none := (Sample{}); none.PerRequest() != 0 || none.Rate() != 0 {
		t.Error("an empty run has figures")
	}
}

func TestErrorsAreNamed(t *testing.T) {
	e := Errors{Read: 2, Status: 1}
	if e.Sum() != 3 || e.String() != "2 read, 1 status" {
		t.Error(e.Sum(), e)
	}
	if (Errors{}).String() != "none" {
		t.Error(Errors{})
	}
}
