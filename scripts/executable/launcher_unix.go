//go:build !windows

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const nodeName = "node"

func ours(folder string) error {
	info, err := os.Lstat(folder)
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	if !info.IsDir() || int(owner) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is not a folder that only this user may write to", folder)
	}
	return nil
}

// Files have the rights that they are given, whatever the umask of who starts us: root's are for all. What it gives puts it back.
func plainUmask() func() {
	before := syscall.Umask(0o022)
	return func() { syscall.Umask(before) }
}

// Node takes our place: same process, same terminal, same signals.
func become(home string) error {
	node := filepath.Join(home, nodeName)
	words := append([]string{node, filepath.Join(home, "node_modules/nametap/bin/nametap")}, os.Args[1:]...)
	environment := os.Environ()
	// What people are told to run is this file, not what is inside.
	if path, err := os.Executable(); err == nil {
		environment = append(environment, "NAMETAP_EXECUTABLE="+path)
	}
	if libraries := filepath.Join(home, "lib"); lacksLibraries() {
		environment = append(environment, "LD_LIBRARY_PATH="+strings.Trim(libraries+":"+os.Getenv("LD_LIBRARY_PATH"), ":"))
	}
	return syscall.Exec(node, words, environment)
}
