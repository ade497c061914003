// What has to be there before nametap's own code can run: the installed packages and a Node 24.
// Written for Node 18 and later; it runs before anything is installed.
'use strict';
const { spawn, spawnSync } = require('node:child_process');
const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const { constants } = require('node:os');

const root = join(__dirname, '..');

/** Installs the locked packages with npm, with one line of progress; ends the process when that fails. */
function install() {
  process.stderr.write('nametap: installing packages (once, about 10 seconds) … ');
  const words = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  // Inside `npm run` npm says where it is; elsewhere it is in the path.
  const npm = process.env.npm_execpath;
  const options = { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
  const done =
    npm !== undefined && /npm-cli\.c?js$/.test(npm)
      ? spawnSync(process.execPath, [npm, ...words], options)
      : spawnSync('npm', words, { ...options, shell: process.platform === 'win32' });
  if (done.status === 0) {
    process.stderr.write('done\n');
    return;
  }
  // npm prints its whole manual after some errors.
  process.stderr.write(`failed\n${(done.stderr ?? '').split('\n').slice(0, 12).join('\n')}\n`);
  const why = done.error === undefined ? 'npm ci did not succeed' : `npm could not be started (${done.error.message})`;
  fail(`${why}. Run "npm ci" in ${root} and try again.`);
}

/** True when every package that package.json names is installed in the version it names. */
function isInstalled() {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.entries({ ...dependencies, ...devDependencies }).every(([name, version]) => {
    const file = join(root, 'node_modules', name, 'package.json');
    return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === version;
  });
}

/** Path of a Node 24: this one, or the one npm installed for this platform; ends the process without either. */
function node24() {
  if (Number.parseInt(process.versions.node, 10) >= 24) return process.execPath;
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  for (const name of Object.keys(optionalDependencies)) {
    if (!name.endsWith(platform)) continue;
    const binary = process.platform === 'win32' ? 'node.exe' : 'node';
    try {
      return require.resolve(`${name}/bin/${binary}`);
    } catch {
      // Not installed: npm leaves optional packages out when told to, or when they cannot be fetched.
    }
  }
  return fail(
    `it needs Node 24 or later, and this is Node ${process.versions.node}. Run "npm ci" (which brings a Node 24 for ` +
      'most platforms), or install Node 24 from https://nodejs.org.',
  );
}

/** Runs a script under Node 24 in place of this process: same input, output, signals and exit code. */
function runWithNode24(script, words) {
  const node = node24();
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', script, ...words], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']) {
    // Ctrl-C reaches both processes by itself, and a second SIGINT means "at once".
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !inForeground()) child.kill(signal);
    });
  }
  child.on('error', (error) => fail(`${node} could not be started: ${error.message}.`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    // As the shell sees it: ended by this signal.
    process.kill(process.pid, signal);
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100);
  });
}

/** True when this process group owns its terminal, so that Ctrl-C goes to all of it. */
function inForeground() {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[2] === fields[5];
  } catch {
    return process.stdin.isTTY === true;
  }
}

function fail(message) {
  process.stderr.write(`nametap: ${message}\n`);
  process.exit(2);
}

module.exports = { install, isInstalled, node24, runWithNode24 };
