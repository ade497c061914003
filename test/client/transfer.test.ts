import assert from 'node:assert/strict';
import { type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { checkRequest, Signer } from '../../src/actions/tsig-key.ts';
import { exchange } from '../../src/client/exchange.ts';
import { transfer, TransferError, type TransferOptions } from '../../src/client/transfer.ts';
import { parseTsigKey, TsigSession } from '../../src/client/tsig.ts';
import { notify, update } from '../../src/client/update.ts';
import { decodeMessage, encodeMessage, type RecordInput } from '../../src/rr/encode.ts';
import { MessageView } from '../../src/wire/message.ts';
import { withTsig } from '../../src/wire/tsig.ts';
import { address, answerTo, framed, pem, tcpServer, tlsServer, udpServer } from './servers.ts';

const soa = (serial: number): RecordInput => ({
  name: 'example.com',
  type: 'SOA',
  ttl: 60,
  data: `ns.example.com h.example.com ${serial} 1 1 1 1`,
});
const host = (n: number) => address(`h${n}.example.com`, `192.0.2.${n % 250}`);
const secret = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
const serverKey = { name: 'transfer', secret: Buffer.from(secret, 'base64') };

/** Sends the messages a test gives as the answer. */
async function zoneServer(t: TestContext, messages: (query: Buffer) => readonly (readonly RecordInput[])[]) {
  return tcpServer(t, (query, socket) => send(query, socket, messages(query)));
}

function send(query: Buffer, socket: Socket, messages: readonly (readonly RecordInput[])[]): void {
  const { id, questions } = decodeMessage(query);
  for (const [i, answers] of messages.entries()) {
    // Messages behind the first may leave the question out.
    socket.write(framed(encodeMessage({ id, flags: ['qr', 'aa'], questions: i === 0 ? questions : [], answers })));
  }
}

async function names(options: TransferOptions): Promise<string[]> {
  const list: string[] = [];
  for await (const { name, type } of transfer('example.com', { timeoutMs: 300, ...options }))
    list.push(`${name} ${type}`);
  return list;
}

const fails = (options: TransferOptions, outcome: string, message: RegExp) =>
  assert.rejects(names(options), (error: TransferError) => {
    assert.equal(error.outcome, outcome, error.message);
    assert.match(error.message, message);
    return true;
  });

test('AXFR: all records over many messages, from SOA to SOA', async (t) => {
  const server = await zoneServer(t, () => [
    [soa(7), host(1)],
    ...Array.from({ length: 40 }, (_, i) => [host(i + 2), host(i + 100)]),
    [soa(7)],
  ]);
  const list = await names({ server });
  assert.equal(list.length, 83);
  assert.deepEqual([list[0], list.at(-1)], ['example.com SOA', 'example.com SOA']);
});

test('IXFR: nothing new, changes, or all of the zone', async (t) => {
  const server = await zoneServer(t, (query) => {
    const asked = decodeMessage(query);
    const serial = Number(asked.authority[0].data.split(' ')[2]);
    if (serial === 9) return [[soa(9)]];
    if (serial === 7)
      return [
        [soa(9), soa(7), host(1)],
        [soa(8), host(2), soa(8), host(3), soa(9)],
        [host(4), soa(9)],
      ];
    return [[soa(9), host(1)], [soa(9)]];
  });
  assert.deepEqual(await names({ server, serial: 9 }), ['example.com SOA']);
  assert.equal((await names({ server, serial: 7 })).length, 10);
  assert.equal((await names({ server, serial: 1 })).length, 3);
});

test('a reader that stops ends the transfer; a slow one gets all', async (t) => {
  let closed = false;
  const server = await tcpServer(t, (query, socket) => {
    socket.once('close', () => {
      closed = true;
    });
    send(query, socket, [[soa(7)], ...Array.from({ length: 300 }, (_, i) => [host(i)]), [soa(7)]]);
  });
  let count = 0;
  for await (const _ of transfer('example.com', { server })) if (++count === 5) break;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(closed, true);
  count = 0;
  for await (const _ of transfer('example.com', { server })) {
    if (++count % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.equal(count, 302);
});

test('over TLS (RFC 9103)', async (t) => {
  const server = await tlsServer(t, 'server.pem', (query, socket) => send(query, socket, [[soa(7), host(1), soa(7)]]));
  assert.equal((await names({ server, transport: 'tls', tls: { ca: pem('ca.pem') } })).length, 3);
  await fails({ server, transport: 'tls' }, 'certificate', /cannot be trusted/);
});

test('what goes wrong is told', async (t) => {
  const refusing = await tcpServer(t, (query, socket) => socket.write(framed(answerTo(query, { rcode: 'REFUSED' }))));
  await fails({ server: refusing }, 'answered', /refuses the transfer of example\.com: REFUSED/);
  await fails({ server: { address: '127.0.0.1', port: 9 } }, 'refused', /nothing listens/);
  await fails({ server: await zoneServer(t, () => [[soa(7), host(1)]]) }, 'timeout', /did not answer within/);
  await fails({ server: await zoneServer(t, () => [[host(1), soa(7)]]) }, 'garbage', /does not begin with a SOA/);
  await fails(
    { server: await zoneServer(t, () => [[soa(7), soa(7), host(1)]]) },
    'garbage',
    /behind the end of the zone/,
  );
  await fails({ server: await zoneServer(t, () => [[]]) }, 'garbage', /it sent no records/);
  const endless = await zoneServer(t, () => [[soa(7)], ...Array.from({ length: 60 }, (_, i) => [host(i)])]);
  await fails({ server: endless, mostRecords: 50 }, 'garbage', /larger than what may be taken/);
  await fails({ server: endless, mostBytes: 500 }, 'garbage', /larger than what may be taken/);
  const cut = await tcpServer(t, (query, socket) => {
    send(query, socket, [[soa(7), host(1)]]);
    socket.end();
  });
  await fails({ server: cut }, 'closed', /closed the connection before/);
  const slow = await tcpServer(t, (query, socket) => socket.write(framed(answerTo(query)).subarray(0, 20)));
  await fails({ server: slow }, 'slow', /began to answer/);
  await fails({ server: endless, signal: AbortSignal.abort() }, 'aborted', /given up/);
});

test('TSIG: requests and answers are signed and checked by both sides', async (t) => {
  const tsig = parseTsigKey(`hmac-sha256:transfer:${secret}`);
  let corrupt = false;
  const server = await tcpServer(t, (query, socket) => {
    const view = new MessageView();
    view.read(query, 0, query.length);
    const verdict = checkRequest(view, [serverKey], Date.now() / 1000);
    assert.equal(verdict.kind, 'good');
    const signer = new Signer(serverKey, verdict.kind === 'good' ? verdict.mac : undefined);
    const { id, questions } = decodeMessage(query);
    for (const answers of [[soa(7), host(1)], [host(2)], [host(3), soa(7)]]) {
      const bytes = signer.sign(encodeMessage({ id, flags: ['qr', 'aa'], questions, answers }), Date.now() / 1000);
      if (corrupt) bytes[37] ^= 1;
      socket.write(framed(bytes));
    }
  });
  assert.equal((await names({ server, tsig })).length, 5);
  corrupt = true;
  await fails({ server, tsig }, 'bad_signature', /it was changed, or the secret differs/);
  await fails({ server: await zoneServer(t, () => [[soa(7), soa(7)]]), tsig }, 'bad_signature', /it is not signed/);
});

test('TSIG of single questions: all algorithms, a server that does not know the key', async (t) => {
  for (const algorithm of ['hmac-md5', 'hmac-sha1', 'hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512']) {
    const tsig = parseTsigKey(`${algorithm}:k:${secret}`);
    const session = new TsigSession(tsig);
    const query = encodeMessage({ id: 7, questions: [{ name: 'x.test', type: 'A' }] });
    const signed = session.sign(query, 1000);
    assert.equal(decodeMessage(signed).additional[0].type, 'TSIG', algorithm);
    // A signature over the request's MAC, made by a session that has signed the same, would be another one's.
    assert.equal(session.problem(signed, 1000), 'it was changed, or the secret differs');
  }
  const server = await udpServer(t, (query, reply) => reply(answerTo(query)));
  const how = { server, transport: 'udp', timeoutMs: 300, tsig: parseTsigKey(`k:${secret}`) } as const;
  const result = await exchange({ name: 'x.test', type: 'A' }, how);
  assert.equal(result.outcome, 'bad_signature');
  assert.match(result.sentence, /a signature that does not hold: it is not signed\.$/);
  for (const wrong of ['k', 'sha9:k:AAAA', 'k:!!', ':AAAA', 'a:b:c:d']) assert.throws(() => parseTsigKey(wrong));
});

test('UPDATE and NOTIFY as RFC 2136 and RFC 1996 have them', async (t) => {
  const seen: Buffer[] = [];
  const server = await udpServer(t, (query, reply) => {
    seen.push(query);
    reply(answerTo(query, { flags: ['qr'] }));
  });
  const how = { server, transport: 'udp', timeoutMs: 300 } as const;
  const change = await update(
    'example.com',
    {
      require: [
        { name: 'new.example.com', exists: false },
        { name: 'old.example.com', type: 'A', data: '192.0.2.1' },
      ],
      remove: [
        { name: 'old.example.com' },
        { name: 'mail.example.com', type: 'MX' },
        { name: 'h.example.com', type: 'A', data: '192.0.2.9' },
      ],
      add: [address('new.example.com')],
    },
    how,
  );
  assert.equal(change.outcome, 'answered');
  const { opcode, flags, questions, answers, authority } = decodeMessage(seen[0]);
  assert.deepEqual([opcode, flags, questions], ['UPDATE', [], [{ name: 'example.com', type: 'SOA', class: 'IN' }]]);
  const shown = (records: typeof answers) =>
    records.map(({ name, class: of, type, ttl, data }) => `${name} ${of} ${type} ${ttl} ${data}`);
  assert.deepEqual(shown(answers), ['new.example.com NONE ANY 0 ', 'old.example.com IN A 0 192.0.2.1']);
  assert.deepEqual(shown(authority), [
    'old.example.com ANY ANY 0 ',
    'mail.example.com ANY MX 0 ',
    'h.example.com NONE A 0 192.0.2.9',
    'new.example.com IN A 60 192.0.2.7',
  ]);
  await notify('example.com', how, { ttl: 60, data: 'ns.example.com h.example.com 8 1 1 1 1' });
  const told = decodeMessage(seen[1]);
  assert.deepEqual([told.opcode, told.flags, told.answers.length], ['NOTIFY', ['aa'], 1]);
});

test('clocks that are apart are told, with how far', async (t) => {
  const key = { name: 'k', secret: Buffer.from('secret') };
  const ahead = Math.floor(Date.now() / 1000) + 1000;
  const server = await udpServer(t, (query, reply) => {
    const other = Buffer.alloc(6);
    other.writeUIntBE(ahead, 0, 6);
    const fields = { key: 'k', algorithm: 'hmac-sha256', time: 0, fudge: 300, id: query.readUInt16BE(0) };
    // The query's own TSIG is not in the answer.
    const plain = encodeMessage({
      id: fields.id,
      flags: ['qr'],
      rcode: 'NOTAUTH',
      questions: [{ name: 'a.test', type: 'A' }],
    });
    reply(withTsig(plain, { ...fields, mac: new Uint8Array(0), error: 18, other }));
  });
  const { outcome, sentence } = await exchange(
    { name: 'a.test', type: 'A' },
    { server, transport: 'udp', timeoutMs: 500, tries: 1, tsig: key },
  );
  assert.equal(outcome, 'bad_signature');
  assert.match(sentence, /the server says BADTIME: its clock is (?:999|1000) s ahead of this machine's/);
});
