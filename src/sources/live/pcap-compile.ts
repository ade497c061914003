import { EXIT, UserError } from '../../core/errors.ts';
import { decodeProgram, type Instruction } from './bpf/assembler.ts';
import type { ForeignCompiler } from './capture-program.ts';
import { LINK } from './interfaces.ts';
import { copyFrom, ERROR_BYTES, loadPcap, NO_NETMASK, type Pcap, PROGRAM_BYTES } from './pcap.ts';

/** DLT_RAW on Linux; the file format's number for it is 101. */
const DLT_RAW = 12;

/**
 * Compiles filters with libpcap, undefined where it is not installed. For `vlan` libpcap has to know that the kernel
 * takes tags out of frames: it looks at an open interface for that.
 */
export function foreignCompiler(interfaceName = 'any'): ForeignCompiler | undefined {
  const pcap = loadPcap();
  if (pcap === null) return undefined;
  return (expression, link, snaplen) => {
    const isLive = link === LINK.ethernet && interfaceName !== 'any' && /\bvlan\b/.test(expression);
    const handle =
      (isLive && openLive(pcap, interfaceName, snaplen)) || pcap.openDead(link === LINK.raw ? DLT_RAW : link, snaplen);
    if (handle === null) throw new UserError('libpcap cannot compile the capture filter: no memory.', EXIT.filter);
    try {
      return compile(pcap, handle, expression);
    } finally {
      pcap.close(handle);
    }
  };
}

function openLive(pcap: Pcap, device: string, snaplen: number): bigint | null {
  const handle = pcap.create(device, new Uint8Array(ERROR_BYTES));
  if (handle === null) return null;
  pcap.setSnaplen(handle, snaplen);
  pcap.setBufferSize(handle, 1 << 20);
  if (pcap.activate(handle) >= 0) return handle;
  pcap.close(handle);
  return null;
}

function compile(pcap: Pcap, handle: bigint, expression: string): Instruction[] {
  const program = new Uint8Array(PROGRAM_BYTES);
  if (pcap.compile(handle, program, expression, 1, NO_NETMASK) !== 0) {
    throw new Error(pcap.error(handle));
  }
  const count = new Uint32Array(program.buffer)[0];
  const code = new Uint8Array(count * 8);
  copyFrom(new BigUint64Array(program.buffer)[1], code, code.length);
  pcap.freeCode(program);
  return decodeProgram(code, count);
}
