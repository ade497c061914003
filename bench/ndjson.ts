/**
 * Nanoseconds per row of `-T ndjson`, one thread, without reading or joining: rows with the mix of types, chains, answers
 * and EDNS of a resolver's clients, made from a seed. Run: node bench/ndjson.ts [ROWS]
 */
import { TransactionBatch } from '../src/core/transactions.ts';
import { registrable } from '../src/enrich/public-suffix.ts';
import type { MessageInput } from '../src/rr/encode.ts';
import { ByteWriter, CHUNK_BYTES } from '../src/sinks/byte-writer.ts';
import { ndjson } from '../src/sinks/ndjson.ts';
import type { OutputOptions } from '../src/sinks/output.ts';
import { join, type Sent, sent } from '../test/sinks/rows.ts';

const RUNS = 9;
const rows = Number(process.argv[2] ?? 100_000);
let state = 1;
const random = (limit: number) => {
  state ^= state << 13;
  state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5;
  state >>>= 0;
  return state % limit;
};

const SYLLABLES = 'ba be bi bo ca ce ci co da de di do fa ga ha ka la ma na pa ra sa ta va za er on in'.split(' ');
const HOSTS = ['www', 'api', 'cdn', 'img', 'static', 'mail', 'login', 'edge'];
const ENDS = ['com', 'com', 'com', 'net', 'org', 'io', 'de', 'co.uk', 'app'];
const names = Array.from({ length: 20_000 }, () => {
  const word = Array.from({ length: 2 + random(4) }, () => SYLLABLES[random(SYLLABLES.length)]).join('');
  return `${random(5) === 0 ? '' : `${HOSTS[random(HOSTS.length)]}.`}${word}.${ENDS[random(ENDS.length)]}`;
});
const TYPES = ['A', 'A', 'A', 'A', 'A', 'A', 'AAAA', 'AAAA', 'HTTPS', 'TXT', 'MX', 'NS', 'PTR', 'SRV'];

function answers(name: string, type: string): Pick<MessageInput, 'rcode' | 'answers' | 'authority'> {
  const soa = { name, type: 'SOA', ttl: 900, data: `ns1.${name} root.${name} 1 3600 900 604800 900` };
  if (random(100) < 8) return { rcode: 'NXDOMAIN', authority: [soa] };
  const record = (data: string, owner = name, kind = type) => ({ name: owner, type: kind, ttl: 300, data });
  if (type === 'A' || type === 'AAAA') {
    const alias = random(100) < 35 ? `edge${random(50)}.cdn${random(7)}.net` : undefined;
    const list = alias === undefined ? [] : [record(alias, name, 'CNAME')];
    for (let i = random(4); i >= 0; i--) {
      const data =
        type === 'A' ? `23.${random(256)}.${random(256)}.${i}` : `2606:4700::${random(0xffff).toString(16)}:${i}`;
      list.push(record(data, alias ?? name));
    }
    return { answers: list };
  }
  if (type === 'HTTPS') return { answers: [record(`1 . alpn="h2,h3" ipv4hint=104.${random(256)}.3.1`)] };
  if (type === 'TXT') return { answers: [record(`"v=spf1 include:_spf${random(5)}.mail.net ip4:192.0.2.0/24 ~all"`)] };
  if (type === 'MX') return { answers: [record(`10 mx${random(3)}.mail${random(99)}.com`)] };
  if (type === 'SRV') return { answers: [record(`10 60 5060 sip${random(9)}.voip.net`)] };
  if (type === 'PTR') return { answers: [record(`host-${random(9999)}.isp${random(20)}.net`)] };
  return { answers: [0, 1, 2, 3].map((i) => record(`ns${i}.${name}`)) };
}

const list: Sent[] = [];
for (let n = 0; n < rows; n++) {
  const name = names[random(names.length)];
  const type = TYPES[random(TYPES.length)];
  const question = {
    id: random(0x10000),
    questions: [{ name, type }],
    ...(random(5) > 0 && { edns: { udp_size: 1232, version: 0, do: false, options: [] } }),
  };
  const more = { client: [10, 1, random(20), random(256)], clientPort: 1024 + random(64_000) };
  list.push(sent(n / 20_000, { ...question, flags: ['rd'] }, more));
  list.push(sent(n / 20_000 + 0.000_02, { ...question, flags: ['qr', 'rd', 'ra'], ...answers(name, type) }, more));
}
const batches: TransactionBatch[] = join(list);
const total = batches.reduce((sum, batch) => sum + batch.count, 0);

const SETS: Record<string, OutputOptions> = {
  plain: { interfaces: [{ link: 1, snaplen: 0 }] },
  'with interface and registrable domain': { interfaces: [{ name: 'eth0', link: 1, snaplen: 0 }], registrable },
};
for (const [what, options] of Object.entries(SETS)) {
  const times: number[] = [];
  let bytes = 0;
  for (let run = 0; run < RUNS; run++) {
    const writer = new ByteWriter();
    const output = ndjson.transaction?.(options, writer);
    bytes = 0;
    const start = process.hrtime.bigint();
    for (const batch of batches) {
      for (let from = 0; from < batch.count; from += 64) {
        output?.batch(batch, from, Math.min(batch.count, from + 64));
        if (writer.length >= CHUNK_BYTES) bytes += writer.take().length;
      }
    }
    bytes += writer.take().length;
    times.push(Number(process.hrtime.bigint() - start) / total);
  }
  const median = times.slice(1).sort((a, b) => a - b)[(RUNS - 1) >> 1];
  const perSecond = Math.round(1e9 / median);
  console.log(
    `${what}: ${median.toFixed(0)} ns/row, ${perSecond} rows/s, ${(bytes / total).toFixed(0)} bytes/row, ${total} rows`,
  );
}
