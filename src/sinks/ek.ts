import { type Carrier, NBNS, PROTOCOL_NAMES } from '../core/carrier.ts';
import { timeText } from '../core/clock.ts';
import type { MessageJoin } from '../core/join.ts';
import { type FilterField, showValue } from '../filter/fields/field.ts';
import { FIELDS } from '../filter/fields/registry.ts';
import { Subject, type Value, Values } from '../filter/value.ts';
import { OPCODE_DSO } from '../wire/dso.ts';
import { RR_TYPES } from '../rr/index.ts';
import { safeText } from '../rr/value.ts';
import type { MessageView } from '../wire/message.ts';
import type { OutputFormat } from './output.ts';

/** A field with its key as JSON. */
interface KeyedField {
  readonly key: string;
  readonly field: FilterField;
}

interface Layer {
  readonly name: string;
  readonly fields: readonly KeyedField[];
}

/** A word of ours, and the segments of a message: for these the reference dissector has a layer of their own. */
const LEFT_OUT = /^dns\.message\.length$|^tcp\.(?:segment|reassembled)/;
const LAYERS: readonly Layer[] = layersOf(FIELDS.filter(({ name }) => !LEFT_OUT.test(name)));
/** Layer of a malformed message. */
const MALFORMED = '_ws_malformed';
const MESSAGE_LAYERS: ReadonlySet<string> = new Set(PROTOCOL_NAMES);

/**
 * What Elasticsearch takes in bulk, as `tshark -T ek`: two lines per message, the index (by day, UTC) and the layers with
 * the fields of the filter language. Dots of names become `_` behind the layer's own name; booleans are booleans, all
 * other values texts, several of them an array.
 */
export const ek: OutputFormat = {
  name: 'ek',
  summary: 'JSON lines for Elasticsearch, as tshark -T ek',
  unit: 'message',
  message(_options, writer) {
    const subject = new Subject();
    const values = new Values();
    const plans = new Plans();
    return {
      message(carrier, view, join) {
        const day = timeText(carrier.seconds, carrier.nanos).slice(0, 10);
        writer.text(`{"index":{"_index":"packets-${day}","_type":"doc"}}\n`);
        writer.text(documentText(fill(subject, carrier, view, join), values, plans.of(view, carrier)));
        writer.byte(0x0a);
      },
    };
  },
};

function fill(subject: Subject, carrier: Carrier, view: MessageView, join: MessageJoin): Subject {
  subject.carrier = carrier;
  subject.view = view;
  subject.join = join;
  return subject;
}

/** The layers as JSON, put together as text: one object per message with its hundreds of possible keys costs far more. */
function documentText(subject: Subject, values: Values, plan: readonly Layer[]): string {
  const { seconds, nanos, protocol } = subject.carrier;
  let layers = '';
  for (const { name, fields } of plan) {
    let layer = '';
    for (const { key, field } of fields) {
      values.clear();
      field.read(subject, values);
      if (values.count > 0) layer += (layer === '' ? key : `,${key}`) + valuesText(field, values);
    }
    if (layer === '') continue;
    if (name === '_ws') layer = '';
    // The fields of multicast protocols are those of DNS, under the protocol's own name.
    const shown = MESSAGE_LAYERS.has(name) ? PROTOCOL_NAMES[protocol] : name === '_ws' ? MALFORMED : name;
    layers += `${layers === '' ? '' : ','}"${shown}":{${layer}}`;
  }
  const timestamp = `${seconds}${String(Math.floor(nanos / 1e6)).padStart(3, '0')}`;
  return `{"timestamp":"${timestamp}","layers":{${layers}}}`;
}

function valuesText(field: FilterField, { count, list }: Values): string {
  if (count === 1) return valueText(field, list[0]);
  let text = '[';
  for (let i = 0; i < count; i++) text += (i === 0 ? '' : ',') + valueText(field, list[i]);
  return `${text}]`;
}

/** Types whose records may hold fields that begin with `dns.word`, by the word. */
const TYPES_OF_WORD = typesOfWords();

function typesOfWords(): Map<string, Set<number>> {
  const types = new Map<string, Set<number>>();
  for (const { type, name, fields } of RR_TYPES) {
    const words = [name.toLowerCase().replaceAll('-', '_'), ...fields.map(({ wireshark = '' }) => wordOf(wireshark))];
    for (const word of words) types.set(word, (types.get(word) ?? new Set()).add(type));
  }
  return types;
}

function wordOf(name: string): string {
  return name.split('.')[1] ?? '';
}

const MOST_PLANS = 512;

/**
 * Which fields are worth a look in a message, by what is in it: of the hundreds most belong to types it has no record of.
 * Bounded: messages with rare mixes of types start the collection anew.
 */
class Plans {
  readonly #plans = new Map<string, readonly Layer[]>();
  readonly #types = new Set<number>();

  of(view: MessageView, { protocol, family }: Carrier): readonly Layer[] {
    const types = this.#types;
    types.clear();
    for (let i = 0; i < view.records; i++) types.add(view.type[i]);
    const key = `${protocol} ${family} ${view.opcode === OPCODE_DSO} ${view.opt >= 0} ${[...types].join(' ')}`;
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    const plan = LAYERS.filter(({ name }) => {
      return name !== (family === 4 ? 'ipv6' : 'ip') && name !== (protocol === NBNS ? 'dns' : 'nbns');
    }).map(({ name, fields }) => ({ name, fields: fields.filter(({ field }) => mayHold(field, view, types)) }));
    if (this.#plans.size === MOST_PLANS) this.#plans.clear();
    this.#plans.set(key, plan);
    return plan;
  }
}

function mayHold({ group, name }: FilterField, view: MessageView, types: ReadonlySet<number>): boolean {
  if (group === 'edns') return view.opt >= 0;
  if (group === 'dso') return view.opcode === OPCODE_DSO;
  if (group !== 'rdata') return true;
  const holders = TYPES_OF_WORD.get(wordOf(name));
  return holders === undefined ? types.size > 0 : [...types].some((type) => holders.has(type));
}

function valueText(field: FilterField, value: Value): string {
  if (field.kind === 'bool') return value === 0 ? 'false' : 'true';
  if (field.kind === 'protocol') return 'null';
  if (field.kind === 'bytes') return octetsText(value as Uint8Array);
  if (field.kind === 'time' && field.name !== 'frame.time_epoch') {
    const nanos = value as bigint;
    return `"${timeText(Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n))}"`;
  }
  return JSON.stringify(safeText(showValue(field, value)));
}

const OCTETS = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));

/** Octets as `"00:ff"`. */
function octetsText(bytes: Uint8Array): string {
  let text = '"';
  for (let i = 0; i < bytes.length; i++) text += (i === 0 ? '' : ':') + OCTETS[bytes[i]];
  return `${text}"`;
}

/** Fields by the first word of their name, without the layers' own. */
function layersOf(fields: readonly FilterField[]): Layer[] {
  const layers = new Map<string, KeyedField[]>();
  for (const field of fields) {
    const dot = field.name.indexOf('.');
    if (dot < 0) continue;
    const name = field.name.slice(0, dot);
    const list = layers.get(name) ?? [];
    list.push({ key: `"${name}_${field.name.replaceAll('.', '_')}":`, field });
    layers.set(name, list);
  }
  // IPv6 has its version under the name of IPv4's.
  const version = fields.find(({ name }) => name === 'ip.version');
  if (version !== undefined) layers.get('ipv6')?.unshift({ key: '"ipv6_ip_version":', field: version });
  return Array.from(layers, ([name, list]) => ({ name, fields: list }));
}
