import { word } from '../core/address.ts';
import { putInteger } from './cells.ts';
import { DOUBLE, FORM, INT, KEY_HEADER, type PassiveSightings } from './passive-delta.ts';
import { NOTHING } from './row-columns.ts';
import type { RowTarget } from './row-encoder.ts';
import { PASSIVE_COLUMNS } from './schema.ts';
import { NAME_TEXT, reversedText, wireText } from './stored-name.ts';

const AT = Object.fromEntries(PASSIVE_COLUMNS.map(({ name }, k) => [name, k])) as Record<
  (typeof PASSIVE_COLUMNS)[number]['name'],
  number
>;
const utf8 = new TextEncoder();
const text = new Uint8Array(NAME_TEXT);

/** What was seen of names, as rows of PASSIVE_COLUMNS: straight from the key table. `written` is called behind every row. */
export function writeSightings({ keys, texts, sensors }: PassiveSightings, to: RowTarget, written: () => void): void {
  const names = sensors.map((sensor) => utf8.encode(sensor));
  // The chunk of the table that holds the key.
  let key: Uint8Array = NOTHING;
  for (let entry = 0; entry < keys.size; entry++) {
    keys.seek(entry);
    const { words, int, doubles, double } = keys;
    const { array, from } = keys.key(entry);
    if (key.buffer !== array.buffer) key = new Uint8Array(array.buffer);
    const name = array.byteOffset + from * 4 + KEY_HEADER;
    const row = to.count;
    to.string(AT.reversed, text, 0, reversedText(key, name, text));
    to.numbers[AT.type][row] = array[from] & 0xffff;
    const textsAt = words[int + INT.texts];
    const dataLength = words[int + INT.dataLength];
    const rdata = behindName(key, name);
    to.words[AT.prefix].fill(0, row * 2, row * 2 + 2);
    to.words[AT.suffix].fill(0, row * 2, row * 2 + 2);
    if (words[int + INT.form] === FORM.text) to.string(AT.data, texts, textsAt, dataLength);
    else if (words[int + INT.form] === FORM.name) to.string(AT.data, text, 0, wireText(key, rdata, text));
    else {
      to.string(AT.data, NOTHING, 0, 0);
      putHalves(to, key, rdata, (array[from] >>> 16) + name - KEY_HEADER - rdata);
    }
    const isOwn = words[int + INT.own] === 1;
    to.string(AT.cnames, texts, textsAt + dataLength, isOwn ? 0 : words[int + INT.cnamesLength]);
    const sensor = names[words[int + INT.sensor]];
    to.string(AT.sensor, sensor, 0, sensor.length);
    putInteger(to.words[AT.first], row, Math.floor(doubles[double + DOUBLE.first]));
    putInteger(to.words[AT.last], row, Math.floor(doubles[double + DOUBLE.last]));
    putInteger(to.words[AT.count], row, doubles[double + DOUBLE.count]);
    to.count = row + 1;
    written();
  }
}

/** The address of 4 or 16 octets as `addressHalves` has it. */
function putHalves(to: RowTarget, key: Uint8Array, at: number, length: number): void {
  const prefix = to.words[AT.prefix];
  const low = to.count * 2;
  if (length === 4) {
    prefix[low] = word(key, at);
    return;
  }
  const suffix = to.words[AT.suffix];
  prefix[low] = word(key, at + 4);
  prefix[low + 1] = word(key, at);
  suffix[low] = word(key, at + 12);
  suffix[low + 1] = word(key, at + 8);
}

function behindName(wire: Uint8Array, at: number): number {
  while (wire[at] !== 0) at += wire[at] + 1;
  return at + 1;
}
