// The one file that holds all of nametap: it unpacks what is inside (Node, nametap, its native libraries, the page) into a private
// cache when it is started for the first time, and becomes it. Statically linked, so that it starts where there is only libc.
package main

import (
	"archive/tar"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// A tar file, zstd. Built beside this file by build.ts.
//
//go:embed payload.tar.zst
var payload []byte

// First half of the SHA-256 of the payload: files of one version are never mixed with those of another.
//
//go:embed payload.name
var payloadName string

func main() {
	home, err := unpacked()
	if err != nil {
		fmt.Fprintf(os.Stderr, "nametap: it could not unpack itself: %v. Name a folder that it may write to in NAMETAP_CACHE.\n", err)
		os.Exit(2)
	}
	if err := become(home); err != nil {
		fmt.Fprintf(os.Stderr, "nametap: %s could not be started: %v\n", filepath.Join(home, nodeName), err)
		os.Exit(2)
	}
}

// Where files may be, best first. Files of root are readable by all, for nametap gives its rights up; others are private.
func caches() []string {
	if given := os.Getenv("NAMETAP_CACHE"); given != "" {
		return []string{given}
	}
	var places []string
	if os.Geteuid() == 0 {
		places = append(places, "/var/cache/nametap")
	} else if user, err := os.UserCacheDir(); err == nil {
		places = append(places, filepath.Join(user, "nametap"))
	}
	return append(places, filepath.Join(os.TempDir(), fmt.Sprintf("nametap-%d", os.Geteuid())))
}

// The folder with everything in it.
func unpacked() (string, error) {
	var reasons []error
	for _, cache := range caches() {
		home, err := unpackedBelow(cache)
		if err == nil {
			return home, nil
		}
		reasons = append(reasons, err)
	}
	return "", errors.Join(reasons...)
}

func unpackedBelow(cache string) (string, error) {
	defer plainUmask()()
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o755
	}
	if err := os.MkdirAll(cache, mode); err != nil {
		return "", err
	}
	// A folder that others may write to could hold another program by now.
	if err := ours(cache); err != nil {
		return "", err
	}
	home := filepath.Join(cache, strings.TrimSpace(payloadName))
	if _, err := os.Stat(home); err == nil {
		return home, nil
	}
	part, err := os.MkdirTemp(cache, "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(part)
	if err := os.Chmod(part, mode); err != nil {
		return "", err
	}
	if err := unpack(part); err != nil {
		return "", err
	}
	// Whole or not at all; another start may have been faster.
	if err := os.Rename(part, home); err != nil {
		if _, there := os.Stat(home); there != nil {
			return "", err
		}
	}
	return home, nil
}

func unpack(folder string) error {
	reader, err := zstd.NewReader(bytes.NewReader(payload))
	if err != nil {
		return err
	}
	defer reader.Close()
	files := tar.NewReader(reader)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		path := filepath.Join(folder, filepath.FromSlash(header.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, os.FileMode(header.Mode).Perm())
		if err != nil {
			return err
		}
		if _, err := io.Copy(file, files); err != nil {
			file.Close()
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
}
