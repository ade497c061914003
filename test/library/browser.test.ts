import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runNode } from './examples.ts';

const library = new URL('../../src/library/', import.meta.url);

/** Without what only Node has; the imports themselves are looked at by test/architecture.test.ts. */
const NO_NODE =
  "for (const name of ['Buffer', 'process', 'setImmediate', 'clearImmediate', 'global']) delete globalThis[name];";

async function inBrowser(code: string): Promise<string> {
  const words = ['--input-type=module', '--eval', `${NO_NODE}\n${code}`];
  const { status, stdout, stderr } = await runNode(fileURLToPath(library), words);
  assert.equal(status, 0, stderr);
  return stdout;
}

test('nametap/wire needs nothing that browsers lack', async () => {
  const told = await inBrowser(`
    const { decodeMessage, encodeMessage, messageText, MessageView } = await import('${library}wire.ts');
    const bytes = encodeMessage({
      id: 1, flags: ['qr'], edns: { options: [{ code: 10, name: 'COOKIE', data: '0102030405060708' }] },
      questions: [{ name: 'example.com', type: 'ANY' }],
      answers: [
        { name: 'example.com', type: 'DNSKEY', ttl: 1, data: '257 3 13 AAECAwQ=' },
        { name: 'example.com', type: 'TXT', ttl: 1, data: '"b\\\\195\\\\188cher"' },
        { name: 'example.com', type: 'HTTPS', ttl: 1, data: '1 . alpn=h2 ipv4hint=192.0.2.1' },
      ],
    });
    const view = new MessageView();
    view.read(bytes, 0, bytes.length);
    console.log(decodeMessage(bytes).answers.map(({ data }) => data).join('|'), messageText(view).length > 100);
  `);
  assert.equal(told, '257 3 13 AAECAwQ=|"b\\195\\188cher"|1 . alpn="h2" ipv4hint=192.0.2.1 true\n');
});

test('nametap/filter needs nothing that browsers lack', async () => {
  const told = await inBrowser(`
    const { messageFilter } = await import('${library}filter.ts');
    const { encodeMessage } = await import('${library}wire.ts');
    const passes = messageFilter('dns.qry.name matches "^ex.*com$" and ip.src in {192.0.2.0/24}');
    const bytes = encodeMessage({ questions: [{ name: 'EXAMPLE.com', type: 'A' }] });
    console.log(passes(bytes, { source: '192.0.2.7' }), passes(bytes, { source: '10.0.0.1' }), passes(bytes));
  `);
  assert.equal(told, 'true false false\n');
});

test('what the page does with a dropped capture needs nothing that browsers lack', async () => {
  const file = JSON.stringify(readFileSync(new URL('../captures/resolution.pcap', import.meta.url)).toString('base64'));
  const told = await inBrowser(`
    const { analyseCapture } = await import('${library}browser.ts');
    const bytes = Uint8Array.from(atob(${file}), (sign) => sign.charCodeAt(0));
    const { signal } = new AbortController();
    const all = await analyseCapture(new Blob([bytes]), { name: 'a.pcap', signal, progress() {} });
    const [{ domain, transactions }] = all.groups('', { group: ['domain'], of: 'latency', limit: 1 });
    console.log(all.kept, all.transaction(0).name, domain, transactions, (await all.packets(0)).length);
  `);
  assert.equal(told, '7 . example.test 3 2\n');
});
