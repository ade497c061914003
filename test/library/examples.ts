/** The examples of the documentation, as programs: `@example` blocks of the library, `ts` blocks of Markdown files. */
import { execFile } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Example {
  /** Where it stands: file and line. */
  where: string;
  code: string;
}

/** Documents whose `ts` blocks are programs. */
const DOCUMENTS = ['README.md', 'docs/guide/library.md', 'docs/guide/client.md'];

/** Every example of the library and its documents. */
export function examples(): Example[] {
  const found: Example[] = [];
  for (const file of globSync('src/library/*.ts', { cwd: root })) {
    const text = readFileSync(join(root, file), 'utf8');
    for (const match of text.matchAll(/^ *\* @example\n((?: *\*(?!\/).*\n)+?)(?= *\*\/| *\* @)/gm)) {
      found.push({ where: place(file, text, match.index), code: match[1].replaceAll(/^ *\* ?/gm, '') });
    }
  }
  for (const file of DOCUMENTS) {
    const text = readFileSync(join(root, file), 'utf8');
    for (const match of text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)) {
      found.push({ where: place(file, text, match.index), code: match[1] });
    }
  }
  return found;
}

/** Captures on a network interface, which takes a right that most users do not have. */
export const isLive = ({ code }: Example): boolean => /\b(?:openLive|watchInterface)\(/.test(code);

/** What an example says it prints: the texts behind `// → `, a line each. */
export function expected(code: string): string[] {
  return Array.from(code.matchAll(/\/\/ → (.*)$/gm), (match) => match[1]);
}

const RULES = {
  target: 'es2024',
  lib: ['es2024', 'dom'],
  module: 'nodenext',
  types: ['node'],
  typeRoots: [join(root, 'node_modules', '@types')],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
};

/** A folder with the small captures in which `import … from 'nametap'` finds this checkout. */
export function exampleFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-examples-'));
  for (const capture of globSync('test/captures/*.pcap*', { cwd: root })) {
    copyFileSync(join(root, capture), join(folder, capture.slice('test/captures/'.length)));
  }
  // Node strips no types beneath node_modules, but follows the link out of it.
  mkdirSync(join(folder, 'node_modules', 'nametap'), { recursive: true });
  symlinkSync(join(root, 'src'), join(folder, 'node_modules', 'nametap', 'src'), 'dir');
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package;
  const sources = Object.entries(exports).map(([name, entry]) => {
    if (typeof entry === 'string') return [name, entry];
    return [name, entry.default.replace('./dist/', './src/').replace(/\.js$/, '.ts')];
  });
  writeFileSync(
    join(folder, 'node_modules', 'nametap', 'package.json'),
    JSON.stringify({ name: 'nametap', type: 'module', exports: Object.fromEntries(sources) as object }),
  );
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: RULES, include: ['*.ts'] }));
  return folder;
}

interface Package {
  exports: Record<string, string | { default: string }>;
}

export interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs Node with these words in a folder. */
export function runNode(folder: string, words: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, words, { cwd: folder, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

function place(file: string, text: string, at: number): string {
  return `${file}:${text.slice(0, at).split('\n').length}`;
}
