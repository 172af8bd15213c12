package main

import (
	"fmt"
	"os/exec"
	"strings"
)

// tests runs tests of a package, for promises that cannot be tried from outside. Each
// must exist, run and pass.
func tests(pkg string, names ...string) func(*trial) error {
	return func(t *trial) error {
		cmd := exec.CommandContext(t.ctx, "go", "test", "-count=1", "-v", "-run", "^("+strings.Join(names, "|")+")$", pkg)
		cmd.Dir = t.root
		out, _ := cmd.CombinedOutput() // a failure shows in the output
		passed := 0
		for _, name := range names {
			if strings.Contains(string(out), "--- PASS: "+name+" (") {
				passed++
			} else {
				t.check(pkg+" "+name, "not passed", "passes", false)
			}
		}
		t.check("tests of "+pkg, fmt.Sprintf("%d passed", passed), fmt.Sprint(len(names)), passed == len(names))
		return nil
	}
}
