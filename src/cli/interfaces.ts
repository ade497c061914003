import type { NetworkInterface } from '../app/capture.ts';
import type { CommandDefinition } from '../core/definition.ts';
import { EXIT } from '../core/errors.ts';
import { numberText, plainText } from '../core/figures.ts';
import { writeStdout } from './stdout.ts';

/** `nametap interfaces`: what can be given to -i. */
export const interfaces: CommandDefinition = {
  name: 'interfaces',
  summary: 'list the interfaces that can be captured on',
  options: [{ name: 'json', summary: 'as JSON' }],
  examples: ['nametap interfaces  # number, name, state, link type, addresses and counters'],
  run: async (_, options) => {
    const { listInterfaces } = await import('../app/capture.ts');
    const list = listInterfaces();
    const text = options.json === true ? `${JSON.stringify(list.map(value), null, 2)}\n` : table(list);
    writeStdout(Buffer.from(text));
    return EXIT.ok;
  },
};

/** Link types by number (LINKTYPE_); what is not here cannot be captured. */
const LINKS: Record<number, string> = { 1: 'Ethernet', 101: 'IP', 105: '802.11', 127: '802.11 radiotap' };

function value({ index, name, state, link, mac, mtu, addresses, statistics }: NetworkInterface) {
  const linkType = link === undefined ? null : LINKS[link];
  return {
    index,
    name,
    state,
    link_type: linkType,
    mac,
    mtu,
    addresses,
    statistics: statistics && counters(statistics),
  };
}

function counters(statistics: NonNullable<NetworkInterface['statistics']>) {
  return {
    received_packets: statistics.receivedPackets,
    received_bytes: statistics.receivedBytes,
    received_dropped: statistics.receivedDropped,
    sent_packets: statistics.sentPackets,
    sent_bytes: statistics.sentBytes,
  };
}

function table(list: readonly NetworkInterface[]): string {
  const head = ['', 'name', 'state', 'link', 'received', 'sent', 'dropped', 'addresses'];
  const rows = list.map(({ index, name, state, isLoopback, link, statistics, addresses }) => [
    String(index),
    plainText(name),
    isLoopback ? 'loopback' : state,
    link === undefined ? '–' : LINKS[link],
    numberText(statistics?.receivedPackets),
    numberText(statistics?.sentPackets),
    numberText(statistics?.receivedDropped),
    addresses.join(' '),
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const isNumber = [true, false, false, false, true, true, true, false];
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd();
  return `${[head, ...rows].map(line).join('\n')}\n`;
}
