package main

import (
	"os"
	"path/filepath"
)

// Node needs the C++ library. Most systems have it, and then theirs is used; ours is for those that have only libc.
func lacksLibraries() bool {
	for _, folder := range []string{"/lib/*-linux-gnu", "/usr/lib/*-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"} {
		found, _ := filepath.Glob(filepath.Join(folder, "libstdc++.so.6"))
		for _, path := range found {
			if _, err := os.Stat(path); err == nil {
				return false
			}
		}
	}
	return true
}
