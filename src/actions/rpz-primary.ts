import { randomInt } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { createServer, isIP, type Server, type Socket } from 'node:net';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import { addressWords, isInNetwork, type Network } from '../core/network.ts';
import { encodeMessage } from '../rr/encode.ts';
import { MessageView } from '../wire/message.ts';
import { nameText } from '../wire/name.ts';
import { datagramAnswer, notifyMessage, type TransferQuestion, transferMessages } from './rpz-answers.ts';
import type { RpzVersions } from './rpz-versions.ts';
import { checkRequest, refusedSignature, Signer, type TsigKey, type Verdict } from './tsig-key.ts';

const MOST_CONNECTIONS = 64;
const IDLE_MS = 15_000;
/** A request with a name, a version and a signature is far shorter. */
const MOST_REQUEST = 4096;
const MOST_REQUESTS = 64;
/** Without an answer a peer is told again after so long. */
const NOTIFY_MS = [1000, 2000, 4000, 8000, 15_000];

/** A secondary: from where it may ask, with which key; and where it is told of changes. */
export interface RpzPeer {
  network: Network;
  key: TsigKey;
  notify: { address: string; port: number } | undefined;
}

/** Requests by what became of them; of peers that are not listed nothing is answered. */
export interface PrimaryCounts {
  answered: number;
  transfers: number;
  unlisted: number;
  malformed: number;
  refused: number;
  badSignature: number;
  notified: number;
  unheard: number;
}

/** A small primary of one zone: SOA, AXFR and IXFR for listed peers that sign, NOTIFY to them, nothing else. */
export class RpzPrimary {
  readonly counts: PrimaryCounts = {
    answered: 0,
    transfers: 0,
    unlisted: 0,
    malformed: 0,
    refused: 0,
    badSignature: 0,
    notified: 0,
    unheard: 0,
  };
  readonly #versions: RpzVersions;
  readonly #peers: readonly RpzPeer[];
  readonly #now: () => number;
  readonly #view = new MessageView();
  readonly #sockets = new Set<Socket>();
  /** Peers that have not said yet that they heard, and the id of what they were told. */
  readonly #notices = new Map<RpzPeer, { id: number; timer: NodeJS.Timeout }>();
  #udp: UdpSocket | undefined;
  #tcp: Server | undefined;

  /** `now`: seconds since 1970. */
  constructor(versions: RpzVersions, peers: readonly RpzPeer[], now: () => number) {
    this.#versions = versions;
    this.#peers = peers;
    this.#now = now;
  }

  /** Opens both sockets; the port. Throws UserError. */
  async listen(address: string, port: number): Promise<number> {
    try {
      const tcp = createServer((socket) => this.#connected(socket));
      tcp.maxConnections = MOST_CONNECTIONS;
      this.#tcp = tcp;
      await new Promise<void>((resolve, reject) => {
        tcp.once('error', reject);
        tcp.listen(port, address, resolve);
      });
      const bound = tcp.address();
      const number = typeof bound === 'object' && bound !== null ? bound.port : port;
      const udp = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
      this.#udp = udp;
      await new Promise<void>((resolve, reject) => {
        udp.once('error', reject);
        udp.bind(number, address, resolve);
      });
      udp.removeAllListeners('error');
      // Such as a peer that is away: the next NOTIFY finds out.
      udp.on('error', () => this.counts.unheard++);
      udp.on('message', (bytes, from) => this.#datagram(bytes, from));
      return number;
    } catch (error) {
      const why = `The zone of blocks cannot be served on ${address} port ${port}: ${reasonOf(error)}.`;
      throw new UserError(`${why} Choose another with block.actions.NAME.listen.`, EXIT.interface, { cause: error });
    }
  }

  /** Tells every peer that there is a new version, until it says that it has heard (RFC 1996 §3.6). */
  notify(): void {
    for (const { timer } of this.#notices.values()) clearTimeout(timer);
    this.#notices.clear();
    for (const peer of this.#peers) this.#tell(peer, 0);
  }

  async close(): Promise<void> {
    for (const { timer } of this.#notices.values()) clearTimeout(timer);
    this.#notices.clear();
    for (const socket of this.#sockets) socket.destroy();
    const udp = this.#udp;
    if (udp !== undefined) await new Promise<void>((resolve) => udp.close(resolve));
    const tcp = this.#tcp;
    if (tcp?.listening === true) await new Promise<void>((resolve) => tcp.close(() => resolve()));
  }

  #tell(peer: RpzPeer, attempt: number): void {
    const { notify } = peer;
    if (notify === undefined) return;
    const id = randomInt(0x10000);
    const message = new Signer(peer.key).sign(notifyMessage(this.#versions, id), this.#now());
    this.#udp?.send(message, notify.port, notify.address, () => {});
    const timer = setTimeout(() => {
      this.#notices.delete(peer);
      if (attempt + 1 < NOTIFY_MS.length) this.#tell(peer, attempt + 1);
      else this.counts.unheard++;
    }, NOTIFY_MS[attempt]);
    this.#notices.set(peer, { id, timer });
  }

  #datagram(bytes: Buffer, from: RemoteInfo): void {
    if (this.#isHeard(bytes, from)) return;
    const answer = this.#answer(bytes, from.address, false);
    if (answer === undefined) return;
    for (const message of answer.messages) this.#udp?.send(message, from.port, from.address, () => {});
  }

  /** True for what a peer says to a NOTIFY. */
  #isHeard(bytes: Uint8Array, from: RemoteInfo): boolean {
    if (bytes.length < 12 || (bytes[2] & 0x80) === 0) return false;
    const id = (bytes[0] << 8) | bytes[1];
    for (const [peer, notice] of this.#notices) {
      if (notice.id !== id || !isFrom(peer, from.address)) continue;
      clearTimeout(notice.timer);
      this.#notices.delete(peer);
      this.counts.notified++;
    }
    // A response is no question.
    return true;
  }

  #connected(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    if (!this.#peers.some((peer) => isFrom(peer, address))) {
      this.counts.unlisted++;
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
    // A secondary may go away whenever it likes.
    socket.on('error', () => socket.destroy());
    this.#serve(socket, address).catch(() => socket.destroy());
  }

  /** Requests of one stream, one after the other. */
  async #serve(socket: Socket, address: string): Promise<void> {
    let held = Buffer.alloc(0);
    let requests = 0;
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      held = Buffer.concat([held, chunk]);
      while (held.length >= 2) {
        const length = held.readUInt16BE(0);
        if (length > MOST_REQUEST || ++requests > MOST_REQUESTS) {
          this.counts.malformed++;
          socket.destroy();
          return;
        }
        if (held.length < 2 + length) break;
        const answer = this.#answer(held.subarray(2, 2 + length), address, true);
        held = held.subarray(2 + length);
        for (const message of answer?.messages ?? []) await send(socket, message);
      }
    }
  }

  /** The messages to answer with, signed; undefined where nothing is to be said. */
  #answer(bytes: Uint8Array, address: string, isStream: boolean): { messages: Iterable<Uint8Array> } | undefined {
    const peers = this.#peers.filter((peer) => isFrom(peer, address));
    if (peers.length === 0) {
      this.counts.unlisted++;
      return undefined;
    }
    const view = this.#view;
    if (view.read(bytes, 0, bytes.length) !== 0 || view.isResponse || view.questions !== 1) {
      this.counts.malformed++;
      return undefined;
    }
    const now = this.#now();
    const keys = peers.map(({ key }) => key);
    const verdict = checkRequest(view, keys, now);
    if (verdict.kind !== 'good') return { messages: [this.#unsound(verdict, now)] };
    const signer = new Signer(verdict.key, verdict.mac);
    const question = this.#question();
    if (question === undefined) {
      this.counts.refused++;
      return { messages: [signer.sign(this.#error('REFUSED'), now)] };
    }
    this.counts.answered++;
    const isTransfer = isStream && (question.type === 'AXFR' || question.type === 'IXFR');
    if (!isTransfer) return { messages: [signer.sign(datagramAnswer(this.#versions, question), now)] };
    this.counts.transfers++;
    // Made at once: the zone may be another before the last one is sent.
    const messages = [...transferMessages(this.#versions, question)];
    return { messages: messages.map((message) => signer.sign(message, now)) };
  }

  #unsound(verdict: Exclude<Verdict, { kind: 'good' }>, now: number): Uint8Array {
    if (verdict.kind === 'bad') {
      this.counts.badSignature++;
      return refusedSignature(this.#error('NOTAUTH'), verdict, now);
    }
    this.counts.refused++;
    return this.#error(verdict.kind === 'malformed' ? 'FORMERR' : 'REFUSED');
  }

  /** What the message that was read asks for; undefined where it is not for this zone. */
  #question(): TransferQuestion | undefined {
    const view = this.#view;
    const name = nameText(view.bytes, view.questionName[0], 0).toLowerCase();
    if (view.opcode !== 0 || view.questionClass[0] !== 1 || name !== this.#versions.zone.name) return undefined;
    const type = QUESTION_TYPES[view.questionType[0]];
    if (type === undefined) return undefined;
    const serial = type === 'IXFR' ? this.#serial() : undefined;
    return { id: view.id, type, ...(serial !== undefined && { serial }) };
  }

  /** The version in the SOA that a secondary sends with an IXFR: the fifth number from the end of its data. */
  #serial(): number | undefined {
    const view = this.#view;
    for (let i = 0; i < view.records; i++) {
      if (view.type[i] !== 6 || view.section[i] !== 2 || view.rdlength[i] < 22) continue;
      const at = view.rdata[i] + view.rdlength[i] - 20;
      return new DataView(view.bytes.buffer, view.bytes.byteOffset).getUint32(at);
    }
    return undefined;
  }

  #error(rcode: string): Uint8Array {
    const { id, bytes, questionName, questionType } = this.#view;
    const questions = [{ name: nameText(bytes, questionName[0], 0), type: `TYPE${questionType[0]}` }];
    return encodeMessage({ id, flags: ['qr'], rcode, questions });
  }
}

const QUESTION_TYPES: Readonly<Record<number, TransferQuestion['type']>> = {
  2: 'NS',
  6: 'SOA',
  251: 'IXFR',
  252: 'AXFR',
};

function isFrom({ network }: RpzPeer, address: string): boolean {
  const plain = address.replace(/^::ffff:(?=[\d.]+$)/, '');
  const family = isIP(plain);
  return (family === 4 || family === 6) && isInNetwork(network, family, addressWords(family, plain));
}

/** Writes a message with its length in front, and waits while the peer does not read. */
async function send(socket: Socket, message: Uint8Array): Promise<void> {
  const framed = Buffer.alloc(2 + message.length);
  framed.writeUInt16BE(message.length, 0);
  framed.set(message, 2);
  // One that is gone says so no second time.
  if (socket.destroyed || socket.write(framed)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}
