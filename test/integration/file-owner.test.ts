import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const NOBODY = 65_534;

test('a file that may not be renamed grows on, and that is told', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-owner-'));
  chmodSync(folder, 0o755);
  const path = join(folder, 'a.log');
  const script = `
    import { RotatingFile } from '${new URL('../../src/sinks/rotating-file.ts', import.meta.url).href}';
    const rules = { sizeBytes: 8, ageMs: Infinity, keep: 1 };
    const hooks = { failed: ({ message }) => console.log(message) };
    const file = new RotatingFile('${path}', rules, hooks, { uid: ${NOBODY}, gid: ${NOBODY} });
    file.write(Buffer.from('as root '));
    process.setgid(${NOBODY});
    process.setuid(${NOBODY});
    for (let i = 0; i < 3; i++) file.write(Buffer.from('and on '));
    await file.close();`;
  try {
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    assert.equal(said, `Cannot rename ${path}: permission denied. It grows on.\n`);
    assert.equal(readFileSync(path, 'utf8'), 'as root and on and on and on ');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('files that root begins are rotated after rights are given up', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-owner-'));
  chmodSync(folder, 0o755);
  const path = join(folder, 'logs', 'of', 'a.log');
  const script = `
    import { RotatingFile } from '${new URL('../../src/sinks/rotating-file.ts', import.meta.url).href}';
    const rules = { sizeBytes: 1e6, ageMs: Infinity, keep: 1 };
    const file = new RotatingFile('${path}', rules, {}, { uid: ${NOBODY}, gid: ${NOBODY} });
    file.write(Buffer.from('as root'));
    process.setgid(${NOBODY});
    process.setuid(${NOBODY});
    file.rotate();
    file.write(Buffer.from('as nobody'));
    file.reopen();
    file.rotate();
    await file.close();`;
  try {
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'inherit', 'inherit'] });
    assert.equal(readdirSync(join(folder, 'logs', 'of')).length, 2);
    for (const made of ['logs', 'logs/of', 'logs/of/a.log'])
      assert.equal(statSync(join(folder, made)).uid, NOBODY, made);
    assert.equal(statSync(folder).uid, 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
