import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Decoded } from '../../../../src/server/schema/transactions.ts';
import { t } from '../../text.ts';
import { lineOf, octetsOf, pathOf, sign, type TreeLine, treeLines, visibleLines } from './link.ts';

/** A decoded message beside its octets: what is pointed at in one is marked in the other. */
export function MessageView({ message }: { message: Decoded }): JSX.Element {
  const lines = useMemo(() => treeLines(message.tree), [message]);
  const octets = useMemo(() => (message.hex === null ? null : octetsOf(message.hex)), [message]);
  const [pointed, setPointed] = useState(-1);
  const [held, setHeld] = useState(-1);
  const index = pointed >= 0 ? pointed : held;
  // A pointer that rests somewhere has no say while the keyboard moves.
  const hold = (line: number): void => {
    setHeld(line);
    setPointed(-1);
  };
  useEffect(() => {
    setHeld(-1);
    setPointed(-1);
  }, [message]);
  return (
    <div class="message-view">
      <Tree lines={lines} marked={index} onPoint={setPointed} onHold={hold} />
      {octets === null ? (
        <p class="faint small">{t('explore.detail.nobytes')}</p>
      ) : (
        <Octets octets={octets} lines={lines} marked={index} onPoint={setPointed} onHold={hold} />
      )}
    </div>
  );
}

interface LinkedProps {
  lines: readonly TreeLine[];
  /** Line pointed at; −1 none. */
  marked: number;
  onPoint: (index: number) => void;
  onHold: (index: number) => void;
}

function Tree({ lines, marked, onPoint, onHold }: LinkedProps): JSX.Element {
  const [closed, setClosed] = useState<ReadonlySet<number>>(new Set());
  const [active, setActive] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => visibleLines(lines, closed), [lines, closed]);
  useEffect(() => {
    setClosed(new Set());
    setActive(0);
  }, [lines]);
  useEffect(() => {
    if (marked >= 0) box.current?.querySelector(`[data-line="${marked}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [marked]);
  const toggle = (index: number, close: boolean): void => {
    const next = new Set(closed);
    if (close) next.add(index);
    else next.delete(index);
    setClosed(next);
  };
  const choose = (index: number): void => {
    setActive(index);
    onHold(index);
  };
  const onKey = (event: KeyboardEvent): void => {
    const to = treeKey(event.key, active, { lines, shown, closed });
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    if (to === 'open' || to === 'close') toggle(active, to === 'close');
    else if (to !== undefined) {
      choose(to);
      box.current?.querySelector<HTMLElement>(`[data-line="${to}"]`)?.focus();
    }
  };
  const path = new Set(marked < 0 ? [] : pathOf(lines, marked));
  return (
    <div
      class="tree mono"
      role="tree"
      aria-label={t('explore.tree')}
      ref={box}
      onKeyDown={onKey}
      onPointerLeave={() => onPoint(-1)}
    >
      {shown.map((index) => (
        <Line
          key={index}
          index={index}
          line={lines[index]}
          isClosed={closed.has(index)}
          isActive={index === active}
          mark={index === marked ? 'marked' : path.has(index) ? 'above' : ''}
          onPoint={onPoint}
          onFocus={choose}
          onToggle={toggle}
        />
      ))}
    </div>
  );
}

/** What a key does in a tree (ARIA practices): the line to go to, opening or closing; null = not a key of trees. */
function treeKey(
  key: string,
  active: number,
  { lines, shown, closed }: { lines: readonly TreeLine[]; shown: readonly number[]; closed: ReadonlySet<number> },
): number | 'open' | 'close' | undefined | null {
  const place = shown.indexOf(active);
  const { hasChildren, parent } = lines[active];
  const isOpen = hasChildren && !closed.has(active);
  switch (key) {
    case 'ArrowDown':
    case 'j':
      return shown[place + 1];
    case 'ArrowUp':
    case 'k':
      return shown[place - 1];
    case 'Home':
      return shown[0];
    case 'End':
      return shown.at(-1);
    case 'ArrowRight':
      return isOpen ? active + 1 : hasChildren ? 'open' : undefined;
    case 'ArrowLeft':
      return isOpen ? 'close' : parent >= 0 ? parent : undefined;
    default:
      return null;
  }
}

interface LineProps {
  index: number;
  line: TreeLine;
  isClosed: boolean;
  isActive: boolean;
  mark: string;
  onPoint: (index: number) => void;
  onFocus: (index: number) => void;
  onToggle: (index: number, close: boolean) => void;
}

function Line({ index, line, isClosed, isActive, mark, onPoint, onFocus, onToggle }: LineProps): JSX.Element {
  const { node, depth, hasChildren } = line;
  return (
    <div
      role="treeitem"
      data-line={index}
      aria-level={depth + 1}
      aria-expanded={hasChildren ? !isClosed : undefined}
      aria-selected={mark === 'marked'}
      tabIndex={isActive ? 0 : -1}
      class={`${mark}${node.fault ? ' fault' : ''}`}
      style={{ paddingLeft: `${8 + depth * 14}px` }}
      onPointerEnter={() => onPoint(index)}
      onFocus={() => onFocus(index)}
      onClick={() => {
        if (hasChildren) onToggle(index, !isClosed);
      }}
    >
      <i class={hasChildren ? (isClosed ? 'twig closed' : 'twig') : 'twig none'} />
      <span class="tree-label">{node.label}</span> <span class="tree-value">{node.value}</span>
      {node.meaning !== undefined && node.meaning !== '' && <span class="tree-meaning">{node.meaning}</span>}
    </div>
  );
}

/** Octets in a row: half as many where there is half the room. */
const PER_ROW = matchMedia('(max-width: 760px)').matches ? 8 : 16;
const HEX_WIDTH = `${PER_ROW * 2.55}ch`;
/** Rows of octets drawn at first; a message of 64 KiB has 4096. */
const ROWS_AT_ONCE = 128;

function Octets({ octets, lines, marked, onPoint, onHold }: LinkedProps & { octets: Uint8Array }): JSX.Element {
  const [rows, setRows] = useState(ROWS_AT_ONCE);
  const [active, setActive] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const at = marked < 0 ? -1 : lines[marked].at;
  const end = marked < 0 ? -1 : lines[marked].end;
  const wanted = Math.ceil(octets.length / PER_ROW);
  useEffect(() => setRows(ROWS_AT_ONCE), [octets]);
  useEffect(() => {
    if (at < 0) return;
    setRows((before) => Math.max(before, Math.ceil(end / PER_ROW) + 4));
    requestAnimationFrame(() =>
      box.current?.querySelector(`[data-octet="${at}"]`)?.scrollIntoView({ block: 'nearest' }),
    );
  }, [at, end]);
  const move = (to: number): void => {
    const octet = Math.max(0, Math.min(octets.length - 1, to));
    setActive(octet);
    onHold(lineOf(lines, octet));
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-octet="${octet}"]`)?.focus());
  };
  const octetOf = (target: EventTarget | null): number =>
    Number((target instanceof Element ? target.closest<HTMLElement>('[data-octet]')?.dataset.octet : undefined) ?? -1);
  return (
    <>
      <div class="octets-head faint small" aria-live="polite">
        {t('explore.bytes.of', { n: octets.length })}
        {at >= 0 && end > at && <> · {t('explore.bytes.at', { from: at, to: end - 1 })}</>}
      </div>
      <div
        class="octets mono"
        role="group"
        aria-label={t('explore.bytes')}
        ref={box}
        onPointerOver={(event) => onPoint(lineOf(lines, octetOf(event.target)))}
        onPointerLeave={() => onPoint(-1)}
        onClick={(event) => {
          const octet = octetOf(event.target);
          if (octet >= 0) move(octet);
        }}
        onScroll={(event) => {
          const { scrollTop, clientHeight, scrollHeight } = event.currentTarget;
          if (rows < wanted && scrollTop + clientHeight > scrollHeight - 200) setRows(rows + ROWS_AT_ONCE);
        }}
        onKeyDown={(event) => {
          const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: PER_ROW, ArrowUp: -PER_ROW }[event.key];
          if (step === undefined) return;
          event.preventDefault();
          move(active + step);
        }}
      >
        {Array.from({ length: Math.min(rows, wanted) }, (_, row) => (
          <OctetRow key={row} octets={octets} from={row * PER_ROW} at={at} end={end} active={active} />
        ))}
      </div>
    </>
  );
}

function OctetRow({
  octets,
  from,
  at,
  end,
  active,
}: {
  octets: Uint8Array;
  from: number;
  at: number;
  end: number;
  active: number;
}): JSX.Element {
  const row = [...octets.subarray(from, from + PER_ROW)];
  const marks = (octet: number): string => (octet >= at && octet < end ? 'on' : '');
  return (
    <div class="octet-row">
      <span class="octet-offset">{from.toString(16).padStart(4, '0')}</span>
      <span class="octet-hex" style={{ width: HEX_WIDTH }}>
        {row.map((octet, i) => (
          <span
            key={i}
            data-octet={from + i}
            class={marks(from + i)}
            role="img"
            tabIndex={from + i === active ? 0 : -1}
            aria-label={`${from + i}: ${octet.toString(16).padStart(2, '0')}`}
          >
            {octet.toString(16).padStart(2, '0')}
          </span>
        ))}
      </span>
      <span class="octet-text" aria-hidden="true">
        {row.map((octet, i) => (
          <span
            key={i}
            data-octet={from + i}
            class={`${marks(from + i)}${octet > 0x20 && octet < 0x7f ? '' : ' faint'}`}
          >
            {sign(octet)}
          </span>
        ))}
      </span>
    </div>
  );
}
