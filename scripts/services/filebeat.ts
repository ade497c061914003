import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HOME = fileURLToPath(new URL('../../.cache/services/filebeat', import.meta.url));
const MODULE = 'github.com/elastic/beats/v7';
const VERSION = 'v7.17.29';

const MAIN = `package main

import (
	"os"

	"${MODULE}/filebeat/cmd"
	inputs "${MODULE}/filebeat/input/default-inputs"
)

func main() {
	if err := cmd.Filebeat(inputs.Init, cmd.FilebeatSettings()).Execute(); err != nil {
		os.Exit(1)
	}
}
`;

/**
 * Path of Filebeat (its open-source part), built once, from its Go module: minutes. The module replaces others, which only a
 * main module may: so it is built in a module around it that repeats them.
 */
export function filebeat(): string {
  const program = join(HOME, 'filebeat');
  if (existsSync(program)) return program;
  mkdirSync(HOME, { recursive: true });
  const found = go('mod', 'download', '-json', `${MODULE}@${VERSION}`);
  const { Dir } = JSON.parse(found) as { Dir: string };
  const manifest = readFileSync(join(Dir, 'go.mod'), 'utf8').replace(/^module .*$/m, 'module nametap.invalid/filebeat');
  writeFileSync(join(HOME, 'go.mod'), `${manifest}\nrequire ${MODULE} ${VERSION}\n`);
  cpSync(join(Dir, 'go.sum'), join(HOME, 'go.sum'));
  writeFileSync(join(HOME, 'main.go'), MAIN);
  go('build', '-trimpath', '-ldflags=-s -w', '-o', program, '.');
  return program;
}

function go(...words: string[]): string {
  return execFileSync('go', words, {
    cwd: HOME,
    encoding: 'utf8',
    env: { ...process.env, GOFLAGS: '-mod=mod' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
