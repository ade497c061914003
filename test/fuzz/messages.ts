import { DNS, LLMNR, MDNS, NBNS } from '../../src/core/carrier.ts';
import { checkRdata } from '../../src/rr/check.ts';
import { recordReader } from '../../src/rr/define.ts';
import { decodeMessage, encodeMessage } from '../../src/rr/encode.ts';
import { RR_TYPES } from '../../src/rr/index.ts';
import { messageText } from '../../src/rr/show.ts';
import { messageValue } from '../../src/rr/value.ts';
import { MessageView } from '../../src/wire/message.ts';
import { EXAMPLES } from '../rr/examples.ts';
import { Random } from './random.ts';

/** What a fuzz run found: nothing, or the message and what went wrong with it. */
export interface FuzzResult {
  messages: number;
  /** Most work steps (bytes of names shown) per byte of message in one pass. */
  worstSteps: number;
  found: { hex: string; error: string }[];
}

const MAX_STEPS_PER_BYTE = 64;
// A message of the header alone may still show a few names.
const FREE_STEPS = 4096;
const PROTOCOLS = [DNS, MDNS, LLMNR, NBNS];

/**
 * Decodes and renders one message every way there is; a sound one is written again and must come back the same. Returns
 * its work steps. Throws what a defect throws.
 */
export function tryMessage(view: MessageView, bytes: Uint8Array, protocol: number = DNS): number {
  view.read(bytes, 0, bytes.length);
  const value = messageValue(view, protocol);
  const json = JSON.stringify(value);
  let steps = recordReader.work;
  messageText(view, protocol);
  steps = Math.max(steps, recordReader.work);
  checkRdata(view, protocol);
  steps = Math.max(steps, recordReader.work);
  if (steps > MAX_STEPS_PER_BYTE * bytes.length + FREE_STEPS) {
    throw new Error(`${steps} steps for ${bytes.length} bytes`);
  }
  if (value.fault === undefined && protocol === DNS) {
    const again = JSON.stringify(decodeMessage(encodeMessage(value)));
    if (again !== json) throw new Error(`written again it is another message: ${json} becomes ${again}`);
  }
  return steps;
}

/**
 * Mutates sound messages of every type `count` times from `seed`, and reads and shows each result. The same seed gives
 * the same messages. Nothing may throw, and work stays within 64 steps per byte.
 */
export function fuzzMessages(count: number, seed: number): FuzzResult {
  const random = new Random(seed);
  const seeds = seedMessages();
  const view = new MessageView();
  const result: FuzzResult = { messages: 0, worstSteps: 0, found: [] };
  const buffer = new Uint8Array(4096);
  for (let n = 0; n < count; n++) {
    const length = mutateMessage(buffer, seeds[random.below(seeds.length)], seeds[random.below(seeds.length)], random);
    const bytes = buffer.subarray(0, length);
    try {
      const steps = tryMessage(view, bytes, PROTOCOLS[random.below(16) < 13 ? 0 : 1 + random.below(3)]);
      if (length >= 256) result.worstSteps = Math.max(result.worstSteps, steps / length);
    } catch (error) {
      if (result.found.length < 20) result.found.push({ hex: hexOf(bytes), error: String((error as Error).stack) });
    }
    result.messages++;
  }
  return result;
}

/** One sound message per example of each type, and one with many records. */
export function seedMessages(): Uint8Array[] {
  const list: Uint8Array[] = [];
  const name = 'www.example.com';
  const edns = {
    do: true,
    options: [
      { code: 3, name: 'NSID', data: '6865' },
      { code: 8, name: 'ECS', data: '192.0.2.0/24/0' },
      { code: 10, name: 'COOKIE', data: '0102030405060708' },
      { code: 15, name: 'EDE', data: '18 "no"' },
    ],
  };
  for (const type of RR_TYPES) {
    for (const data of EXAMPLES[type.name] ?? []) {
      const questions = [{ name, type: type.name }];
      const record = { name, type: type.name, ttl: 300, data };
      list.push(encodeMessage({ id: 1, flags: ['qr'], questions, answers: [record, record], edns }));
    }
  }
  const many = Array.from({ length: 24 }, (_, i) => ({ name: `n${i % 5}.${name}`, type: 'CNAME', ttl: i, data: name }));
  list.push(encodeMessage({ questions: [{ name, type: 'ANY' }], answers: many, authority: many }));
  list.push(encodeMessage({ opcode: 'UPDATE', questions: [{ name, type: 'SOA' }], authority: many.slice(0, 2) }));
  list.push(encodeMessage({ opcode: 'DSO', dso: [{ type: 1, name: 'KEEPALIVE', data: '1000 2000' }] }));
  return list;
}

// Octets that are boundaries of something: label types, pointers, lengths, counts.
const EDGES = [0, 1, 12, 31, 32, 33, 41, 63, 64, 65, 127, 128, 191, 192, 193, 254, 255];

/** Writes a mutation of `base` into `out`, sometimes with a piece of `other`; returns its length. */
export function mutateMessage(out: Uint8Array, base: Uint8Array, other: Uint8Array, random: Random): number {
  let length = Math.min(base.length, out.length);
  out.set(base.subarray(0, length));
  for (let m = random.below(6); m >= 0; m--) {
    const at = random.below(length);
    switch (random.below(9)) {
      case 0:
        out[at] ^= 1 << random.below(8);
        break;
      case 1:
        out[at] = EDGES[random.below(EDGES.length)];
        break;
      case 2:
        out[at] = random.below(256);
        break;
      case 3:
        length = Math.max(1, at);
        break;
      case 4: {
        // A pointer, mostly to a place that exists.
        if (at + 1 >= length) break;
        out[at] = 0xc0;
        out[at + 1] = random.below(Math.min(256, length));
        break;
      }
      case 5: {
        // A piece of another message.
        const from = random.below(other.length);
        const piece = other.subarray(from, from + random.below(64));
        const room = Math.min(piece.length, out.length - at);
        out.set(piece.subarray(0, room), at);
        length = Math.max(length, at + room);
        break;
      }
      case 6: {
        // A piece repeated: many records, long names.
        const size = Math.min(1 + random.below(40), length - at);
        const times = random.below(60);
        for (let i = 0; i < times && length + size <= out.length; i++) {
          out.copyWithin(length, at, at + size);
          length += size;
        }
        break;
      }
      case 7: {
        // Counts that claim much.
        if (length < 12) break;
        out[4 + random.below(8)] = random.below(256);
        break;
      }
      default: {
        const size = random.below(8);
        out.copyWithin(at, at + size, length);
        length = Math.max(1, length - Math.min(size, length - at));
      }
    }
  }
  return length;
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join('');
}
