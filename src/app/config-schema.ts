import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { reasonOf, UserError } from '../core/errors.ts';
import { type Setting, type Shape, sizeOf, spanOf } from '../core/settings.ts';
import { SETTINGS } from './settings.ts';

/** The schema that a declaration becomes: checks what was written and gives what programs get. */
export function schemaOf(setting: Setting): z.ZodType {
  const { summary, example, required } = setting;
  const schema = shapeSchema(setting.shape).meta({
    description: summary,
    ...(example !== undefined && { examples: [example] }),
  });
  if (setting.default !== undefined) return schema.prefault(setting.default);
  return required === true ? schema : schema.optional();
}

/** The whole configuration as JSON Schema (draft 2020-12): what an editor needs to complete and check a file. */
export function configSchema(): Record<string, unknown> {
  const schema: Record<string, unknown> = z.toJSONSchema(schemaOf(SETTINGS), { io: 'input', target: 'draft-2020-12' });
  return { ...schema, title: 'nametap.yaml', description: 'Configuration of nametap.' };
}

function shapeSchema(shape: Shape): z.ZodType {
  switch (shape.kind) {
    case 'list':
      return z.array(schemaOf({ ...shape.of, required: true }));
    case 'map':
      return z.record(z.string().regex(shape.keyPattern), schemaOf({ ...shape.of, required: true }));
    case 'group':
      return groupSchema(shape.keys);
    case 'variant': {
      const variants = Object.entries(shape.of).map(([type, { shape: inner, summary }]) => {
        const keys = inner.kind === 'group' ? inner.keys : {};
        return groupSchema(keys).extend({ type: z.literal(type).meta({ description: summary }) });
      });
      return z.discriminatedUnion('type', variants as unknown as [z.ZodObject, ...z.ZodObject[]]);
    }
    case 'text':
    case 'flag':
    case 'number':
    case 'size':
    case 'span':
    default:
      return scalarSchema(shape);
  }
}

function groupSchema(keys: Readonly<Record<string, Setting>>): z.ZodObject {
  return z.strictObject(Object.fromEntries(Object.entries(keys).map(([key, setting]) => [key, schemaOf(setting)])));
}

type Scalar = Exclude<Shape, { kind: 'list' | 'map' | 'group' | 'variant' }>;

/** Reads one value with our own words for what is wrong; what editors need stands beside it. */
function scalarSchema(shape: Scalar): z.ZodType {
  const { read, json } = SCALARS[shape.kind](shape as never);
  return z
    .any()
    .transform((written: unknown, context) => {
      const value = read(written);
      if (!(value instanceof Refusal)) return value;
      context.issues.push({ code: 'custom', message: value.text, input: written });
      return z.NEVER;
    })
    .meta(json);
}

/** Why a value is not taken; completes "server.listen …". */
class Refusal {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

interface Reader {
  read(written: unknown): unknown;
  json: Record<string, unknown>;
}

const SCALARS: { [K in Scalar['kind']]: (shape: Extract<Scalar, { kind: K }>) => Reader } = {
  text(shape) {
    const { choices, wants = 'a text', read } = shape;
    if (shape.secret === true) return { read: readSecret, json: SECRET_JSON };
    return {
      json: { type: 'string', ...(choices !== undefined && { enum: [...choices] }) },
      read(written) {
        if (typeof written !== 'string') return new Refusal(`takes ${wants}${quoted(written)}`);
        if (choices !== undefined && !choices.includes(written)) {
          return new Refusal(`takes ${choices.join(', ')}, not "${written}"`);
        }
        if (/[\0\r\n]/.test(written)) return new Refusal('takes one line of text');
        try {
          return read === undefined ? written : read(written);
        } catch (error) {
          if (error instanceof UserError) return new Refusal(`takes ${wants}, not "${written}"`);
          throw error;
        }
      },
    };
  },
  flag: () => ({
    json: { type: 'boolean' },
    read: (written) => (typeof written === 'boolean' ? written : new Refusal(`takes true or false${quoted(written)}`)),
  }),
  number: ({ least, most, isWhole }) => ({
    json: {
      type: isWhole ? 'integer' : 'number',
      minimum: least,
      ...(most < Number.MAX_SAFE_INTEGER && { maximum: most }),
    },
    read(written) {
      const isSound =
        typeof written === 'number' && (isWhole ? Number.isSafeInteger(written) : Number.isFinite(written));
      if (!isSound) return new Refusal(`takes a ${isWhole ? 'whole ' : ''}number${quoted(written)}`);
      return withinBounds(written, least, most, String);
    },
  }),
  size: ({ least, most }) => ({
    json: { type: ['string', 'integer'], pattern: '^\\d+(\\.\\d+)?\\s*[KMGTkmgt]?i?[Bb]$', minimum: least },
    read(written) {
      const bytes = typeof written === 'number' && Number.isInteger(written) ? written : sizeOf(String(written));
      if (bytes === undefined || bytes < 0) return new Refusal(`takes a size such as 64MiB or 10GB${quoted(written)}`);
      return withinBounds(bytes, least, most, sizeText);
    },
  }),
  span: ({ least, most, words }) => ({
    json: {
      type: 'string',
      pattern: `^(\\d+(\\.\\d+)?\\s*(ms|[smhdwy])${Object.keys(words)
        .map((word) => `|${word}`)
        .join('')})$`,
    },
    read(written) {
      if (typeof written === 'string' && Object.hasOwn(words, written)) return words[written];
      const milliseconds = typeof written === 'string' ? spanOf(written) : undefined;
      if (milliseconds === undefined) {
        const also = Object.keys(words).map((word) => `, or ${word}`);
        return new Refusal(`takes a time such as 500ms, 30s or 7d${also.join('')}${quoted(written)}`);
      }
      return withinBounds(milliseconds, least, most, spanText);
    },
  }),
};

const SECRET_JSON = {
  anyOf: [
    { type: 'string' },
    { type: 'object', properties: { file: { type: 'string' } }, required: ['file'], additionalProperties: false },
  ],
};

function readSecret(written: unknown): unknown {
  if (typeof written === 'string' && written !== '') return written;
  const isFile = typeof written === 'object' && written !== null && Object.keys(written).join() === 'file';
  const file = isFile ? (written as { file: unknown }).file : undefined;
  if (typeof file !== 'string') return new Refusal('takes a text, or the file that holds it: {file: PATH}');
  try {
    const text = readFileSync(file, 'utf8').trim();
    return text === '' ? new Refusal(`is empty in ${file}`) : text;
  } catch (error) {
    return new Refusal(`cannot be read from ${file}: ${reasonOf(error)}`);
  }
}

function withinBounds(value: number, least: number, most: number, show: (value: number) => string): unknown {
  if (value < least) return new Refusal(`is at least ${show(least)}, not ${show(value)}`);
  return value > most ? new Refusal(`is at most ${show(most)}, not ${show(value)}`) : value;
}

function quoted(written: unknown): string {
  if (typeof written === 'string') return `, not "${written}"`;
  return typeof written === 'number' || typeof written === 'boolean' ? `, not ${written}` : '';
}

const SIZES = ['TiB', 'GiB', 'MiB', 'KiB'];

/** Bytes as they would be written: exact, with the largest unit that divides them. */
export function sizeText(bytes: number): string {
  for (const [i, unit] of SIZES.entries()) {
    const factor = 2 ** (40 - 10 * i);
    if (bytes > 0 && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes}B`;
}

const SPANS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

/** Milliseconds as they would be written. */
export function spanText(milliseconds: number): string {
  for (const [unit, factor] of SPANS) {
    if (milliseconds > 0 && milliseconds % factor === 0) return `${milliseconds / factor}${unit}`;
  }
  return `${milliseconds}ms`;
}
