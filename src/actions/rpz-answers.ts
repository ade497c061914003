import { encodeMessage, type MessageInput, type RecordInput } from '../rr/encode.ts';
import type { RpzVersions } from './rpz-versions.ts';

/** Records of a message on a stream: far below the 16 kB that compression reaches. */
const RECORDS_A_MESSAGE = 150;

export interface TransferQuestion {
  id: number;
  type: 'SOA' | 'NS' | 'AXFR' | 'IXFR';
  /** IXFR: the version that the secondary has. */
  serial?: number;
}

/** The messages that answer it on a stream (RFC 5936, RFC 1995); none is signed yet. */
export function* transferMessages(versions: RpzVersions, question: TransferQuestion): Generator<Uint8Array> {
  let answers: RecordInput[] = [];
  let isFirst = true;
  for (const record of recordsOf(versions, question)) {
    answers.push(record);
    if (answers.length < RECORDS_A_MESSAGE) continue;
    yield message(versions, question, answers, isFirst);
    isFirst = false;
    answers = [];
  }
  if (answers.length > 0) yield message(versions, question, answers, isFirst);
}

/** The answer in one datagram: of a transfer the version only, which asks for a stream (RFC 1995 §2). */
export function datagramAnswer(versions: RpzVersions, question: TransferQuestion): Uint8Array {
  const answers = question.type === 'NS' ? [nsRecord(versions)] : [soaRecord(versions, versions.serial)];
  return message(versions, question, answers, true);
}

/** A message that tells a secondary of a new version (RFC 1996 §3). */
export function notifyMessage(versions: RpzVersions, id: number): Uint8Array {
  return encodeMessage({
    id,
    opcode: 'NOTIFY',
    flags: ['aa'],
    questions: [{ name: versions.zone.name, type: 'SOA' }],
    answers: [soaRecord(versions, versions.serial)],
  });
}

function* recordsOf(versions: RpzVersions, { type, serial }: TransferQuestion): Generator<RecordInput> {
  const now = soaRecord(versions, versions.serial);
  if (type === 'NS') {
    yield nsRecord(versions);
    return;
  }
  yield now;
  if (type === 'SOA') return;
  const changes = type === 'IXFR' && serial !== undefined ? versions.since(serial) : undefined;
  // The secondary is up to date, or ahead of us.
  if (changes?.length === 0 || (type === 'IXFR' && serial !== undefined && isNewer(serial, versions.serial))) return;
  if (changes === undefined) {
    yield nsRecord(versions);
    for (const owner of versions.owners) yield cnameRecord(versions, owner);
  } else {
    for (const { from, to, removed, added } of changes) {
      yield soaRecord(versions, from);
      for (const owner of removed) yield cnameRecord(versions, owner);
      yield soaRecord(versions, to);
      for (const owner of added) yield cnameRecord(versions, owner);
    }
  }
  yield now;
}

function message(
  { zone }: RpzVersions,
  { id, type }: TransferQuestion,
  answers: readonly RecordInput[],
  isFirst: boolean,
): Uint8Array {
  const questions: MessageInput['questions'] = isFirst ? [{ name: zone.name, type }] : [];
  return encodeMessage({ id, flags: ['qr', 'aa'], questions, answers });
}

function soaRecord({ zone }: RpzVersions, serial: number): RecordInput {
  return { name: zone.name, type: 'SOA', ttl: zone.ttl, data: zone.soa(serial) };
}

function nsRecord({ zone }: RpzVersions): RecordInput {
  return { name: zone.name, type: 'NS', ttl: zone.ttl, data: 'localhost.' };
}

function cnameRecord({ zone }: RpzVersions, owner: string): RecordInput {
  return { name: owner, type: 'CNAME', ttl: zone.ttl, data: zone.target };
}

/** Serial arithmetic (RFC 1982 §3.2). */
function isNewer(a: number, b: number): boolean {
  return a !== b && (a - b) >>> 0 < 2 ** 31;
}
