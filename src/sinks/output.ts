import type { Carrier } from '../core/carrier.ts';
import type { CapturedInterface } from '../core/frames.ts';
import type { MessageJoin } from '../core/join.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { safeText } from '../rr/value.ts';
import type { MessageView } from '../wire/message.ts';
import type { ByteWriter } from './byte-writer.ts';

/** Shows messages one after another. What it is given is filled again for the next message. */
export interface MessageOutput {
  /** What stands before the first message (a header line, a bracket). */
  begin?(): void;
  message(carrier: Carrier, view: MessageView, join: MessageJoin): void;
  /** What stands behind the last one. */
  end?(): void;
}

/** Shows rows [from, to) of transaction batches. */
export interface TransactionOutput {
  begin?(): void;
  batch(batch: TransactionBatch, from: number, to: number): void;
  end?(): void;
  /** Remarks for people (standard error) once it has ended: what did not fit. */
  notes?(): readonly string[];
}

/** Shows frames, DNS or not, with what became of them. */
export interface FrameOutput {
  begin?(): void;
  /** `fate` = `FATE` number. */
  frame(carrier: Carrier, fate: number): void;
  end?(): void;
}

/** A name's public suffix and registrable domain; null where there is none. */
export interface Registrable {
  domain: string | null;
  suffix: string | null;
}

/** One `-e` field, resolved: its values in a message as text, in order of the message; none where it is absent. */
export interface OutputField {
  readonly name: string;
  values(carrier: Carrier, view: MessageView, join: MessageJoin): readonly string[];
}

/** What `-E` sets, as in tshark. */
export interface FieldsFormat {
  /** A first line with the fields' names. */
  header: boolean;
  /** Between fields. */
  separator: string;
  /** Between the values of one field. */
  aggregator: string;
  /** First, last or all values of a field. */
  occurrence: 'f' | 'l' | 'a';
  /** Around each field: double, single, none. */
  quote: 'd' | 's' | 'n';
  /** Tabs, line feeds and the like within values become `\t`, `\n` … */
  escape: boolean;
  /** A byte order mark in front of everything. */
  bom?: boolean;
}

export interface OutputOptions {
  /** Interfaces of the run; may grow while it runs. */
  interfaces: readonly CapturedInterface[];
  /** Name of this sensor, where one is configured. */
  sensor?: string;
  /** The public suffix list; must not tell letter case. */
  registrable?: (name: string) => Registrable;
  /** Name of a client, by its address as four words (IPv4 in the last); where names are configured. */
  clientName?: (family: number, words: readonly number[]) => string | undefined;
  /** Names of the rules behind each mark of a row, `, ` between them; may grow. Absent where nothing marks. */
  marks?: readonly string[];
  /** `-e`, for `fields`. */
  fields?: readonly OutputField[];
  fieldsFormat?: FieldsFormat;
  /** ANSI colours. */
  color?: boolean;
  /** Columns of the terminal: longer lines are cut; absent = not. */
  width?: number;
  /** `text` of transactions: a client's with the path of its resolution below. */
  paths?: boolean;
  /** `tree`: offset, length and meaning of every field. */
  offsets?: boolean;
}

export type OutputUnit = 'packet' | 'message' | 'transaction' | 'rrset';

/** One output format: its name after `-T`, and how it is made for the units it can show. */
export interface OutputFormat {
  readonly name: string;
  /** Lower case, no full stop. */
  readonly summary: string;
  /** What one line (or object) is unless `--unit` says otherwise. */
  readonly unit: OutputUnit;
  message?(options: OutputOptions, writer: ByteWriter): MessageOutput;
  /** Also makes the `rrset` outputs: they are gathered from transactions. */
  transaction?(options: OutputOptions, writer: ByteWriter): TransactionOutput;
  /** A row's bytes do not depend on the rows before it, nor on a terminal: workers may make them. */
  readonly rowsStandApart?: true;
  /** Every IP packet, whether or not it was DNS (`--unit packet`). */
  packet?(options: OutputOptions, writer: ByteWriter): FrameOutput;
}

/** The units a format can show, its usual one first. */
export function unitsOf(format: OutputFormat): OutputUnit[] {
  const units = new Set<OutputUnit>([format.unit]);
  if (format.transaction !== undefined && format.unit !== 'rrset') units.add('transaction');
  if (format.message !== undefined) units.add('message');
  if (format.packet !== undefined) units.add('packet');
  return [...units];
}

/** Name of an interface as it may be shown: a capture file says what it likes. */
export function shownInterface(options: OutputOptions, id: number): string | undefined {
  const name = options.interfaces[id]?.name;
  return name === undefined ? undefined : safeText(name);
}
