package main

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
)

const nodeName = "node.exe"

// A user's own folders are private on Windows.
func ours(string) error { return nil }

// There is none.
func plainUmask() func() { return func() {} }

// Windows cannot replace a process: ours waits, and ends with the same code.
func become(home string) error {
	words := append([]string{filepath.Join(home, "node_modules/nametap/bin/nametap")}, os.Args[1:]...)
	child := exec.Command(filepath.Join(home, nodeName), words...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	// Ctrl+C reaches the child by itself.
	signal.Ignore(os.Interrupt)
	err := child.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		os.Exit(ended.ExitCode())
	}
	if err == nil {
		os.Exit(0)
	}
	return err
}
