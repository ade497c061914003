import { type Carrier, NBNS, PROTOCOL_NAMES } from '../core/carrier.ts';
import { timeText } from '../core/clock.ts';
import type { MessageJoin } from '../core/join.ts';
import { type FilterField, hexText, showValue } from '../filter/fields/field.ts';
import { FIELDS } from '../filter/fields/registry.ts';
import { Subject, type Value, Values } from '../filter/value.ts';
import { OPCODE_DSO } from '../wire/dso.ts';
import { safeText } from '../rr/value.ts';
import type { MessageView } from '../wire/message.ts';
import type { OutputFormat } from './output.ts';

/** A layer: its fields with their keys as JSON. */
interface Layer {
  readonly name: string;
  readonly fields: readonly { readonly key: string; readonly field: FilterField }[];
}

const LAYERS: readonly Layer[] = layersOf(FIELDS);
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
    return {
      message(carrier, view, join) {
        const day = timeText(carrier.seconds, carrier.nanos).slice(0, 10);
        writer.text(`{"index":{"_index":"packets-${day}","_type":"doc"}}\n`);
        writer.text(documentText(fill(subject, carrier, view, join), values));
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
function documentText(subject: Subject, values: Values): string {
  const { seconds, nanos, protocol, family } = subject.carrier;
  let layers = '';
  for (const { name, fields } of LAYERS) {
    if (name === (family === 4 ? 'ipv6' : 'ip') || (name === 'dns' && protocol === NBNS)) continue;
    let layer = '';
    for (const { key, field } of fields) {
      if (isAbsent(field, subject)) continue;
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

/** True for most fields of most messages, at a glance: no record, no OPT, another protocol. */
function isAbsent({ group }: FilterField, { view, carrier }: Subject): boolean {
  if (group === 'rdata') return view.records === 0 || (view.records === 1 && view.opt === 0);
  if (group === 'edns') return view.opt < 0;
  if (group === 'dso') return view.opcode !== OPCODE_DSO;
  return group === 'nbns' && carrier.protocol !== NBNS;
}

function valueText(field: FilterField, value: Value): string {
  if (field.kind === 'bool') return value === 0 ? 'false' : 'true';
  if (field.kind === 'protocol') return 'null';
  if (field.kind === 'bytes') return `"${hexText(value as Uint8Array, ':')}"`;
  if (field.kind === 'time' && field.name !== 'frame.time_epoch') {
    const nanos = value as bigint;
    return `"${timeText(Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n))}"`;
  }
  return JSON.stringify(safeText(showValue(field, value)));
}

/** Fields by the first word of their name, without the layers' own. */
function layersOf(fields: readonly FilterField[]): Layer[] {
  const layers = new Map<string, { key: string; field: FilterField }[]>();
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
