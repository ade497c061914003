package main

// macOS has the C++ library.
func lacksLibraries() bool { return false }
