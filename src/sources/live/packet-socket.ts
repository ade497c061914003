import { type Instruction, encodeProgram, OP } from './bpf/assembler.ts';
import { fanoutProgram } from './bpf/fanout.ts';
import { SHARD_FACTOR } from '../../net/shard.ts';
import { BLOCK_BYTES } from './ring.ts';
import type { Fanout } from './options.ts';
import {
  AF_PACKET,
  bind,
  close,
  ETH_P_ALL,
  getOption,
  Mapping,
  PACKET,
  setOption,
  setProgram,
  SO_ATTACH_FILTER,
  SO_ERROR,
  SO_TIMESTAMPNS,
  SOCK_CLOEXEC,
  SOCK_RAW,
  socket,
  SOL_PACKET,
  SOL_SOCKET,
  SystemError,
} from './system.ts';

/** Longest wait for the other members of a fan-out group. */
const JOIN_MS = 3000;

const DROP_ALL: readonly Instruction[] = [{ code: OP.return, jt: 0, jf: 0, k: 0 }];

/** An AF_PACKET socket with its ring: everything that is a system call. All methods throw SystemError. */
export class PacketSocket {
  readonly fd: number;
  #mapping: Mapping | undefined;
  #packets = 0;
  #drops = 0;
  #isOpen = true;

  constructor() {
    // Protocol 0: no packets before it is bound.
    this.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (this.fd < 0) throw new SystemError('socket');
    setOption(this.fd, SOL_PACKET, PACKET.version, PACKET.version3);
    this.stop();
  }

  /** Makes the ring and maps it. */
  map(ringBytes: number, blockTimeoutMs: number): ArrayBuffer {
    const blocks = Math.max(2, Math.floor(ringBytes / BLOCK_BYTES));
    const frameBytes = 2048;
    const frames = (BLOCK_BYTES / frameBytes) * blocks;
    const request = new Uint32Array([BLOCK_BYTES, blocks, frameBytes, frames, Math.max(1, blockTimeoutMs), 0, 0]);
    setOption(this.fd, SOL_PACKET, PACKET.receiveRing, request);
    this.#mapping = new Mapping(this.fd, BLOCK_BYTES * blocks);
    // The time of arrival, not that of the copy into the ring; and the same for every program that listens.
    setOption(this.fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    return this.#mapping.buffer;
  }

  /** Also frames for other stations, until the socket is closed. */
  promiscuous(interfaceIndex: number): void {
    const request = new Uint8Array(16);
    new Int32Array(request.buffer)[0] = interfaceIndex;
    new Uint16Array(request.buffer)[2] = PACKET.membershipPromiscuous;
    setOption(this.fd, SOL_PACKET, PACKET.addMembership, request);
  }

  /** Listens on an interface, on all with index 0. */
  bind(interfaceIndex: number): void {
    const address = new Uint8Array(20);
    new Uint16Array(address.buffer)[0] = AF_PACKET;
    new DataView(address.buffer).setUint16(2, ETH_P_ALL);
    new Int32Array(address.buffer)[1] = interfaceIndex;
    if (bind(this.fd, address, address.length) !== 0) throw new SystemError('bind');
  }

  /** Joins a group that shares the packets, and waits for its other members. */
  join({ group, size, joined }: Fanout, ignoreOutgoing: boolean): void {
    const type = PACKET.fanoutByProgram | (ignoreOutgoing ? PACKET.fanoutIgnoreOutgoing : 0);
    setOption(this.fd, SOL_PACKET, PACKET.fanout, (type << 16) | group);
    const program = encodeProgram(fanoutProgram(SHARD_FACTOR));
    setProgram(this.fd, { level: SOL_PACKET, name: PACKET.fanoutData }, program);
    if (joined === undefined) return;
    Atomics.add(joined, 0, 1);
    Atomics.notify(joined, 0);
    const end = performance.now() + JOIN_MS;
    for (let n = Atomics.load(joined, 0); n < size; n = Atomics.load(joined, 0)) {
      if (Atomics.wait(joined, 0, n, end - performance.now()) === 'timed-out') return;
    }
  }

  /** Only what arrives, not what this machine sends. */
  ignoreOutgoing(): void {
    setOption(this.fd, SOL_PACKET, PACKET.ignoreOutgoing, 1);
  }

  filter(program: readonly Instruction[]): void {
    setProgram(this.fd, { level: SOL_SOCKET, name: SO_ATTACH_FILTER }, encodeProgram(program));
  }

  /** Takes no further packets. */
  stop(): void {
    this.filter(DROP_ALL);
  }

  /** Clears the error that an interface leaves when it goes down or away. */
  clearError(): void {
    getOption(this.fd, SOL_SOCKET, SO_ERROR, 1);
  }

  /** Packets that passed the filter, and those of them for which the ring had no room; since the start. */
  statistics(): { packets: number; drops: number } {
    if (this.#isOpen) {
      // The kernel counts from the last question on.
      const [packets, drops] = getOption(this.fd, SOL_PACKET, PACKET.statistics, 3);
      this.#packets += packets;
      this.#drops += drops;
    }
    return { packets: this.#packets, drops: this.#drops };
  }

  close(): void {
    if (!this.#isOpen) return;
    this.statistics();
    this.#isOpen = false;
    this.#mapping?.release();
    close(this.fd);
  }
}
