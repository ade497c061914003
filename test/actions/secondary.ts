/** A secondary of our own: asks a primary as a resolver would, and says what it got. */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { type RpzPeer, RpzPrimary } from '../../src/actions/rpz-primary.ts';
import { RpzVersions } from '../../src/actions/rpz-versions.ts';
import { RpzZone } from '../../src/actions/rpz-zone.ts';
import { Signer, type TsigKey } from '../../src/actions/tsig-key.ts';
import { networkOf } from '../../src/actions/network-setting.ts';
import type { Block, BlockKind } from '../../src/core/block.ts';
import { decodeMessage, encodeMessage } from '../../src/rr/encode.ts';
import type { Message } from '../../src/rr/value.ts';

export const KEY: TsigKey = { name: 'nametap', secret: Buffer.from('0123456789abcdef0123456789abcdef') };

export interface Asking {
  port: number;
  type?: string;
  /** IXFR: the version it has. */
  serial?: number;
  key?: TsigKey | null;
  name?: string;
  /** Seconds since 1970 at which it signs. */
  now?: number;
}

export function query({ type = 'AXFR', serial, key = KEY, name = 'rpz.nametap', now }: Asking): Uint8Array {
  const data = `localhost. hostmaster.localhost. ${serial} 1 1 1 1`;
  const plain = encodeMessage({
    id: 4711,
    questions: [{ name, type }],
    ...(serial !== undefined && { authority: [{ name, type: 'SOA', ttl: 0, data }] }),
  });
  return key === null ? plain : new Signer(key).sign(plain, now ?? Date.now() / 1000);
}

/** Every message of the answer; none where the primary hangs up. */
export function ask(asking: Asking): Promise<Message[]> {
  const request = query(asking);
  return send(asking.port, Buffer.concat([Buffer.from([request.length >>> 8, request.length & 255]), request]));
}

/** The same, of octets that may be anything. */
export function send(port: number, bytes: Uint8Array): Promise<Message[]> {
  return new Promise((resolve) => {
    const messages: Message[] = [];
    let held = Buffer.alloc(0);
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    // Transfers end with the version they began with; other answers are one message.
    const idle = setTimeout(() => socket.destroy(), 400);
    socket.on('data', (chunk: Buffer) => {
      idle.refresh();
      held = Buffer.concat([held, chunk]);
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const length = held.readUInt16BE(0);
        messages.push(decodeMessage(held.subarray(2, 2 + length)));
        held = held.subarray(2 + length);
      }
      const records = messages.flatMap(({ answers }) => answers);
      const isWhole = records.length > 1 && records[0].data === records[records.length - 1].data;
      if (isWhole || messages[0]?.rcode !== 'NOERROR') socket.end();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(idle);
      resolve(messages);
    });
  });
}

/** One datagram and its answer; undefined when there is none. */
export function askDatagram(port: number, bytes: Uint8Array): Promise<Message | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const done = (message: Message | undefined) => {
      clearTimeout(late);
      socket.close();
      resolve(message);
    };
    const late = setTimeout(() => done(undefined), 200);
    socket.on('message', (answer) => done(decodeMessage(answer)));
    socket.send(bytes, port, '127.0.0.1');
  });
}

/** Owners of the rules in an answer, in order. */
export function owners(messages: readonly Message[]): string[] {
  return messages.flatMap(({ answers }) => answers.filter(({ type }) => type === 'CNAME').map(({ name }) => name));
}

export function serials(messages: readonly Message[]): number[] {
  const soas = messages.flatMap(({ answers }) => answers.filter(({ type }) => type === 'SOA'));
  return soas.map(({ data }) => Number(data.split(' ')[2]));
}

export function blockOf(value: string, kind: BlockKind = 'domain', until = 2e12): Block {
  return {
    id: value,
    kind,
    value,
    since: 1,
    until,
    by: 'anna',
    isAutomatic: false,
    reason: 'test',
    evidence: [],
    repeat: 0,
  };
}

export interface Primary {
  primary: RpzPrimary;
  versions: RpzVersions;
  port: number;
}

export async function primaryOf(more: Partial<RpzPeer> = {}): Promise<Primary> {
  const versions = new RpzVersions(new RpzZone('rpz.nametap', { answer: 'nxdomain' }), 100);
  const peer: RpzPeer = { network: networkOf('127.0.0.1'), key: KEY, notify: undefined, ...more };
  const primary = new RpzPrimary(versions, [peer], () => Date.now() / 1000);
  return { primary, versions, port: await primary.listen('127.0.0.1', 0) };
}
