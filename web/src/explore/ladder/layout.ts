import type { Host, Ladder, LadderEvent } from './events.ts';

/** What a diagram is drawn of: lines, shapes and texts with a class that says their colour. */
export type Shape =
  | { kind: 'line'; class: string; points: readonly (readonly [x: number, y: number])[]; dashed?: boolean }
  | { kind: 'area'; class: string; points: readonly (readonly [x: number, y: number])[] }
  | {
      kind: 'text';
      class: string;
      x: number;
      y: number;
      anchor: 'start' | 'middle' | 'end';
      text: string;
      mono?: boolean;
      small?: boolean;
    };
/** An event of the diagram with what is drawn of it. */
export interface Row {
  event: LadderEvent;
  index: number;
  y: number;
  shapes: Shape[];
}
export interface Layout {
  width: number;
  height: number;
  /** Lifelines and headings. */
  frame: Shape[];
  rows: Row[];
  /** Arcs from truncated answers to their TCP retries. */
  retries: Shape[];
}

const TIME_WIDTH = 84;
const MARGIN = 8;
const HEAD = 56;
const LEAST_LANE = 116;
const MOST_LANE = 380;
const LEAST_STEP = 30;
const MOST_GAP = 44;
/** Width of a character in px, roughly: 11 px fixed-width text. */
const CHARACTER = 6.7;

/** Where everything stands. `width`: room there is; many hosts make it wider. */
export function layOut(ladder: Ladder, width: number): Layout {
  const { hosts, events } = ladder;
  const lane = Math.min(
    MOST_LANE,
    Math.max(LEAST_LANE, (width - TIME_WIDTH - 2 * MARGIN - LEAST_LANE) / Math.max(1, hosts.length - 1)),
  );
  const first = TIME_WIDTH + MARGIN + LEAST_LANE / 2;
  const xs = new Map(hosts.map(({ address }, i) => [address, first + i * lane]));
  const rows: Row[] = [];
  let y = HEAD + 10;
  let before = 0;
  for (const [index, event] of events.entries()) {
    const gap = event.at - before;
    y += index === 0 ? 14 : LEAST_STEP + Math.min(MOST_GAP, 9 * Math.log10(1 + gap));
    before = event.at;
    rows.push({ event, index, y, shapes: arrow(event, xs.get(event.from) ?? 0, xs.get(event.to) ?? 0, y) });
  }
  const height = y + 28;
  return {
    width: Math.max(width, first + (hosts.length - 1) * lane + LEAST_LANE / 2 + MARGIN),
    height,
    frame: hosts.flatMap((host) => lifeline(host, xs.get(host.address) ?? 0, height, lane)),
    rows,
    retries: ladder.retries.map(({ from, to }) => retryArc(rows[from], rows[to], xs)),
  };
}

function lifeline(host: Host, x: number, height: number, lane: number): Shape[] {
  const room = Math.max(10, Math.floor((Math.min(lane, MOST_LANE) - 12) / CHARACTER));
  return [
    {
      kind: 'line',
      class: 'life',
      points: [
        [x, HEAD],
        [x, height - 10],
      ],
    },
    { kind: 'text', class: 'mute', x, y: 18, anchor: 'middle', text: host.role, small: true },
    { kind: 'text', class: 'ink', x, y: 36, anchor: 'middle', text: cut(host.name ?? host.address, room), mono: true },
  ];
}

function arrow(event: LadderEvent, from: number, to: number, y: number): Shape[] {
  const color = event.level === 'none' ? (event.kind === 'response' ? 'info' : 'signal') : event.level;
  const sign = to > from ? 1 : -1;
  const self = from === to;
  // What did not arrive stops halfway.
  const end = event.kind === 'lost' ? (from + to) / 2 : self ? to + 24 : to - sign * 3;
  const middle = self ? from + 32 : (from + to) / 2;
  const room = Math.max(8, Math.floor((Math.abs(to - from) - 20) / CHARACTER));
  const shapes: Shape[] = [
    {
      kind: 'text',
      class: 'faint',
      x: TIME_WIDTH,
      y: y + 4,
      anchor: 'end',
      text: timeText(event.at),
      mono: true,
      small: true,
    },
    {
      kind: 'line',
      class: color,
      points: [
        [from, y],
        [end, y],
      ],
      dashed: event.kind === 'lost' || event.kind === 'retransmission',
    },
    {
      kind: 'text',
      class: event.level === 'none' ? 'ink' : event.level,
      x: middle,
      y: y - 6,
      anchor: self ? 'start' : 'middle',
      text: cut(
        event.transport === 'udp' ? event.label : `${event.transport.toUpperCase()} ${event.label}`,
        self ? 40 : room,
      ),
      mono: true,
      small: true,
    },
  ];
  if (event.kind === 'lost') shapes.push(...cross(end, y, color));
  else
    shapes.push({
      kind: 'area',
      class: color,
      points: [
        [end + sign * 3, y],
        [end - sign * 5, y - 4],
        [end - sign * 5, y + 4],
      ],
    });
  return shapes;
}

function cross(x: number, y: number, color: string): Shape[] {
  return [
    {
      kind: 'line',
      class: color,
      points: [
        [x - 4, y - 4],
        [x + 4, y + 4],
      ],
    },
    {
      kind: 'line',
      class: color,
      points: [
        [x - 4, y + 4],
        [x + 4, y - 4],
      ],
    },
  ];
}

function retryArc(from: Row, to: Row, xs: ReadonlyMap<string, number>): Shape {
  const x = xs.get(to.event.from) ?? 0;
  return {
    kind: 'line',
    class: 'attention',
    dashed: true,
    points: [
      [x - 4, from.y],
      [x - 14, from.y + 4],
      [x - 14, to.y - 4],
      [x - 4, to.y],
    ],
  };
}

/** Time since the first event, as short as it stays exact enough: +0, +0.412 ms, +1.204 s. */
export function timeText(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 1) return `+${(ms * 1000).toFixed(ms < 0.1 ? 1 : 0)} µs`;
  if (ms < 1000) return `+${ms.toFixed(ms < 10 ? 3 : ms < 100 ? 2 : 1)} ms`;
  return `+${(ms / 1000).toFixed(3)} s`;
}

/** At most so many characters; names keep both ends. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = Math.ceil((most - 1) * 0.6);
  return `${text.slice(0, head)}…${text.slice(text.length - (most - 1 - head))}`;
}
