package http1_test

import (
	"testing"

	"github.com/eddynet/eddy/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }
