import { UserError } from '../core/errors.ts';
import { Field, u32, u8, type Words } from '../wire/field.ts';
import { rrType } from './define.ts';

const EQUATOR = 2 ** 31;
const MILLIS_PER_DEGREE = 3_600_000;
// Altitude counts centimetres from 100 km below the reference spheroid.
const SEA_LEVEL = 10_000_000;

/** A size: mantissa and exponent nibbles, both at most 9, in centimetres. */
const size = new Field<number>('uint', {
  read: (r) => {
    const octet = r.u8();
    return octet >> 4 > 9 || (octet & 15) > 9 ? r.fail() : octet;
  },
  write: (w, value) => u8.write(w, value, {}),
  show: (value) => {
    const centimetres = (value >> 4) * 10 ** (value & 15);
    return centimetres < 100 ? `0.${String(centimetres).padStart(2, '0')}m` : `${centimetres / 100}m`;
  },
  parse: (words) => sizeOf(metres(words)),
});

function angle(limit: number, positive: string, negative: string): Field<number> {
  return new Field('uint', {
    read: (r) => {
      const raw = r.u32();
      return Math.abs(raw - EQUATOR) > limit * MILLIS_PER_DEGREE ? r.fail() : raw;
    },
    write: (w, value) => u32.write(w, value, {}),
    show: (value) => {
      const millis = Math.abs(value - EQUATOR);
      const degrees = Math.floor(millis / MILLIS_PER_DEGREE);
      const minutes = Math.floor(millis / 60_000) % 60;
      const seconds = ((millis % 60_000) / 1000).toFixed(3);
      return `${degrees} ${minutes} ${seconds} ${value >= EQUATOR ? positive : negative}`;
    },
    parse: (words) => {
      const parts = [0, 0, 0];
      for (let i = 0; i < 4; i++) {
        const word = words.next('degrees, minutes, seconds and direction');
        const side = word.toUpperCase();
        if (side === positive || side === negative) {
          const millis = parts[0] * MILLIS_PER_DEGREE + parts[1] * 60_000 + Math.round(parts[2] * 1000);
          return EQUATOR + (side === positive ? millis : -millis);
        }
        if (i === 3 || !/^[0-9]{1,3}(?:\.[0-9]{1,3})?$/.test(word)) throw words.wrong('an angle', word);
        parts[i] = Number(word);
      }
      return EQUATOR;
    },
  });
}

const altitude = new Field<number>('uint', {
  read: (r) => r.u32(),
  write: (w, value) => u32.write(w, value, {}),
  show: (value) => `${((value - SEA_LEVEL) / 100).toFixed(2)}m`,
  parse: (words) => metres(words) + SEA_LEVEL,
});

/** Metres of the next word, in centimetres. */
function metres(words: Words): number {
  const word = words.next('metres');
  const text = word.replace(/m$/i, '');
  if (!/^-?[0-9]{1,8}(?:\.[0-9]{1,2})?$/.test(text)) throw words.wrong('a number of metres', word);
  return Math.round(Number(text) * 100);
}

function sizeOf(centimetres: number): number {
  let mantissa = centimetres;
  let exponent = 0;
  while (mantissa > 9) {
    mantissa = Math.floor(mantissa / 10);
    exponent++;
  }
  if (exponent > 9 || mantissa < 0) throw new UserError(`${centimetres / 100} m does not fit: 0 to 90000 km do.`);
  return (mantissa << 4) | exponent;
}

const version = new Field<number>('uint', {
  read: (r) => (r.u8() === 0 ? 0 : r.fail()),
  write: (w) => w.u8(0),
  show: () => '',
  parse: () => 0,
});
const latitude = angle(90, 'N', 'S');
const longitude = angle(180, 'E', 'W');

export const LOC = rrType(
  29,
  'LOC',
  'RFC 1876',
  'Place on earth.',
  {
    version: version.as('dns.loc.version', 'Always 0'),
    size: size.as('dns.loc.size', 'Diameter, mantissa and exponent of cm'),
    horizontal: size.as('dns.loc.horizontal_precision', 'Precision, mantissa and exponent of cm'),
    vertical: size.as('dns.loc.vertical_precision', 'Precision, mantissa and exponent of cm'),
    latitude: latitude.as('dns.loc.latitude', 'Thousandths of a second of arc, 2^31 is the equator'),
    longitude: longitude.as('dns.loc.longitude', 'Thousandths of a second of arc, 2^31 is Greenwich'),
    altitude: altitude.as('dns.loc.altitude', 'cm above −100 km'),
  },
  {
    show(value) {
      const place = `${latitude.show(value.latitude, false, {})} ${longitude.show(value.longitude, false, {})}`;
      const sizes = [value.size, value.horizontal, value.vertical].map((one) => size.show(one, false, {}));
      return `${place} ${altitude.show(value.altitude, false, {})} ${sizes.join(' ')}`;
    },
    parse(words) {
      const place = {
        latitude: latitude.parse(words, {}),
        longitude: longitude.parse(words, {}),
        altitude: altitude.parse(words, {}),
      };
      const next = (usual: number) => (words.more ? size.parse(words, {}) : usual);
      // What is left out: 1 m, 10 km and 10 m (RFC 1876 §3).
      return { version: 0, ...place, size: next(0x12), horizontal: next(0x16), vertical: next(0x13) };
    },
  },
);
