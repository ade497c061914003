/** What commands about live capture ask the sources. */
import { captureProgram } from '../sources/live/capture-program.ts';
import { showProgram } from '../sources/live/bpf/show.ts';
import { type Check, checkCapture } from '../sources/live/checks.ts';
import { listInterfaces, type NetworkInterface, resolveInterfaces } from '../sources/live/interfaces.ts';
import { DEFAULTS } from '../sources/live/options.ts';
import type { FrameInput } from './input.ts';

export { type Check, checkCapture, listInterfaces, type NetworkInterface };

/**
 * The program that the kernel would run for a live input, as `tcpdump -d` shows one. Needs no right to capture. Throws
 * UserError for an interface or a filter that is wrong.
 */
export async function captureProgramText(input: Extract<FrameInput, { kind: 'live' }>): Promise<string> {
  const { foreignCompiler } = await import('../sources/live/pcap-compile.ts');
  const wanted = input.interfaces.includes('any') ? undefined : resolveInterfaces(input.interfaces);
  const single = wanted?.length === 1 ? wanted[0] : undefined;
  const shape = {
    interfaces: single === undefined ? wanted?.map(({ index }) => index) : undefined,
    hardwareType: single?.hardwareType,
  };
  const rule = {
    snaplen: input.snaplen ?? DEFAULTS.snaplen,
    filter: input.captureFilter,
    defaultFilter: input.everything ? 'none' : 'dns',
    extraUdpPorts: input.udpPorts,
    extraTcpPorts: input.tcpPorts,
    encrypted: input.encrypted,
    family: input.family,
  } as const;
  return showProgram(captureProgram(rule, shape, foreignCompiler(single?.name)));
}
