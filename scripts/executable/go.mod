module nametap/executable

go 1.23

require github.com/klauspost/compress v1.17.11
