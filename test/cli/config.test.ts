import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { verifyPassword } from '../../src/server/passwords.ts';
import { folder, nametap } from './nametap.ts';

test('config check says what is wrong, and where', () => {
  const path = join(folder(), 'nametap.yaml');
  writeFileSync(path, 'server:\n  listn: 127.0.0.1:53\n');
  const wrong = nametap(['config', 'check', path]);
  assert.deepEqual([wrong.code, wrong.out], [1, '']);
  assert.equal(wrong.err, `nametap: ${path}:2:3: server.listn is no setting; did you mean listen?\n`);
  writeFileSync(path, 'server:\n  listen: 127.0.0.1:5391\n');
  const sound = nametap(['config', 'check', path], { env: { NAMETAP_LOG_LEVL: 'info' } });
  assert.deepEqual([sound.code, sound.out], [0, `${path} is sound.\n`]);
  assert.equal(sound.err, 'nametap: NAMETAP_LOG_LEVL is no setting, and changes nothing\n');
});

test('config print has all that holds; example and schema are what editors and people take', () => {
  const path = join(folder(), 'nametap.yaml');
  writeFileSync(path, 'server: {listen: "127.0.0.1:5391", token: hush}\n');
  const { out } = nametap(['config', 'print', '--config', path], { env: { NAMETAP_STORE_FLUSH: '2s' } });
  const printed = parse(out);
  assert.equal(printed.server.listen, '127.0.0.1:5391');
  assert.equal(printed.server.token, '********');
  assert.match(out, /^ {2}flush: 2s {2}# NAMETAP_STORE_FLUSH$/m);
  assert.match(nametap(['config', 'example']).out, /^# yaml-language-server: \$schema=/);
  assert.equal(JSON.parse(nametap(['config', 'schema']).out).title, 'nametap.yaml');
});

test('config password prints what the server verifies', async () => {
  const { out, code } = nametap(['config', 'password'], { input: 'correct horse battery\n' });
  assert.equal(code, 0);
  assert.ok(await verifyPassword('correct horse battery', out.trim()));
  const short = nametap(['config', 'password'], { input: 'short\n' });
  assert.deepEqual([short.code, short.err], [1, 'nametap: A password has at least 10 characters.\n']);
});

test('what config does not do is said', () => {
  const { code, err } = nametap(['config', 'chek']);
  assert.deepEqual(
    [code, err],
    [1, 'nametap: config does check, print, schema, example, password, not "chek". Did you mean check?\n'],
  );
  assert.equal(nametap(['config', 'check', 'a', 'b']).code, 1);
  assert.match(
    nametap(['config', 'check', '/nowhere.yaml']).err,
    /Cannot read the configuration \/nowhere\.yaml: there is no such file/,
  );
});
