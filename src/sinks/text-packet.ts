import type { Carrier } from '../core/carrier.ts';
import { FATE } from '../core/ledger.ts';
import type { ByteWriter } from './byte-writer.ts';
import { Column, CYAN, DIM, GREEN, isNarrow, Line, localTime } from './line.ts';
import type { FrameOutput, OutputOptions } from './output.ts';
import { packetValue } from './packet.ts';

/** One line per IP packet: time, Src -> Dst, protocol, ports, length, and what it was or why it became no message. */
export class PacketText implements FrameOutput {
  readonly #line: Line;
  readonly #options: OutputOptions;
  readonly #isNarrow: boolean;
  readonly #source: Column;
  readonly #destination: Column;

  constructor(options: OutputOptions, writer: ByteWriter) {
    this.#line = new Line(writer, options);
    this.#options = options;
    this.#isNarrow = isNarrow(options);
    this.#source = this.#isNarrow ? new Column(0, 15) : new Column(15, 39);
    this.#destination = this.#isNarrow ? new Column(0, 15) : new Column(15, 39);
  }

  frame(carrier: Carrier, fate: number): void {
    const packet = packetValue(carrier, fate, this.#options);
    if (packet === undefined) return;
    const line = this.#line;
    const time = localTime(carrier.seconds, carrier.nanos, this.#options.width === undefined);
    line.add(`${this.#isNarrow ? time.slice(0, -7) : time} `, DIM);
    line.pad(packet.source, this.#source.fit(packet.source.length)).add(' -> ', DIM);
    line.pad(packet.destination, this.#destination.fit(packet.destination.length)).add(' ');
    line.pad(packet.protocol, 6, CYAN).add(' ');
    const { source_port: from, destination_port: to } = packet;
    line.pad(from === undefined ? '' : `${from} -> ${to}`, 14).add(' ');
    line.add(String(packet.bytes).padStart(5)).add('  ');
    line.add(packet.why, fate === FATE.carried ? GREEN : DIM);
    line.end();
  }
}
