import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HOME = fileURLToPath(new URL('../../.cache/services/go', import.meta.url));

/** What is built from Go modules, once, into `.cache`; minutes each. */
const TOOLS = {
  helm: 'helm.sh/helm/v3/cmd/helm@v3.17.3',
  'kubectl-validate': 'sigs.k8s.io/kubectl-validate@v0.0.4',
} as const;

/** Definitions of kinds that are not Kubernetes' own: YAML in Go modules. */
const DEFINITIONS = {
  keda: { module: 'github.com/kedacore/keda/v2@v2.16.1', folder: 'config/crd/bases' },
  'prometheus-operator': {
    module: 'github.com/prometheus-operator/prometheus-operator@v0.79.2',
    folder: 'example/prometheus-operator-crd',
  },
} as const;

function go(...words: string[]): string {
  mkdirSync(HOME, { recursive: true });
  const { status, stdout, stderr, error } = spawnSync('go', words, {
    cwd: HOME,
    encoding: 'utf8',
    env: { ...process.env, GOBIN: HOME, GOFLAGS: '-modcacherw' },
  });
  if (status !== 0) throw new Error(`go ${words.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

/** Path of a tool. */
export function goTool(name: keyof typeof TOOLS): string {
  const path = join(HOME, name);
  if (!existsSync(path)) go('install', TOOLS[name]);
  return path;
}

/**
 * Path of a program whose module replaces others, which only a main module may: it is built in a module around it that
 * repeats what it says.
 */
export function goProgram(name: string, module: string, version: string, folder: string): string {
  const home = join(HOME, `${name}-module`);
  const program = join(HOME, name);
  if (existsSync(program)) return program;
  mkdirSync(home, { recursive: true });
  const { Dir } = JSON.parse(go('mod', 'download', '-json', `${module}@${version}`)) as { Dir: string };
  const manifest = readFileSync(join(Dir, 'go.mod'), 'utf8').replace(/^module .*$/m, `module nametap.invalid/${name}`);
  writeFileSync(join(home, 'go.mod'), `${manifest}\nrequire ${module} ${version}\n`);
  cpSync(join(Dir, 'go.sum'), join(home, 'go.sum'));
  go('-C', home, 'build', '-mod=mod', '-trimpath', '-ldflags=-s -w', '-o', program, `${module}/${folder}`);
  return program;
}

/** Folder of definitions. */
export function goDefinitions(name: keyof typeof DEFINITIONS): string {
  const { module, folder } = DEFINITIONS[name];
  const { Dir } = JSON.parse(go('mod', 'download', '-json', module)) as { Dir: string };
  return join(Dir, folder);
}
