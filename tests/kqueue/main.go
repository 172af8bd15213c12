// Command kqueue runs tests of the main module on Linux with the source files of another
// system: its kqueue poller, its accept call and its shared listening sockets. They run
// on package unix, a model of kqueue(2).
//
//	go run .                                           # as .ci/run does
//	go run . -system freebsd -- -run TestConnect -v ./poller
//
// Arguments after the flags are passed to go test.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// everything is what runs without arguments.
var everything = []string{"./poller", "./internal/sockets", "./loop", ".", "./http1", "./workers"}

func main() {
	log.SetFlags(0)
	systems := flag.String("system", "darwin,freebsd,openbsd", "the systems, as values of GOOS separated by commas")
	root := flag.String("root", "../..", "folder of the main module")
	flag.Parse()
	args := flag.Args()
	if runtime.GOOS != "linux" {
		log.Fatal("kqueue: the model runs on Linux only: run go test instead")
	}
	if len(args) == 0 {
		args = everything
	}
	failed := false
	for _, system := range strings.Split(*systems, ",") {
		fmt.Printf("\n-- as on %s\n", system)
		if err := test(*root, system, args); err != nil {
			log.Printf("as on %s: %v", system, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

func test(root, system string, args []string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "kqueue")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	overlay, err := writeOverlay(root, scratch, system)
	if err != nil {
		return err
	}
	// go vet fails on the folder that exists in the overlay only.
	flags := []string{"test", "-overlay", overlay, "-vet=off", "-ldflags", "-X " + modelImport + ".name=" + system}
	cmd := exec.Command("go", append(flags, args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, os.Stdout, os.Stderr
	return cmd.Run()
}
