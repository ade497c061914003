import type { JSX } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Packet, Transaction } from '../../../../src/server/schema/transactions.ts';
import { moment } from '../../format.ts';
import { t } from '../../text.ts';
import { token } from '../../theme.ts';
import { openMenu } from '../../ui/menu.tsx';
import { Empty } from '../../ui/panel.tsx';
import { copy } from '../../ui/value.tsx';
import { exactMs, type Ladder, ladderOf } from './events.ts';
import { layOut, type Layout, type Row, type Shape, timeText } from './layout.ts';
import { drawLadder, toMermaid, toSvg } from './write.ts';

interface LadderProps {
  transactions: readonly Transaction[];
  packets?: ReadonlyMap<string, readonly Packet[]>;
  /** Click or Enter on a message. */
  onOpen?: (id: string) => void;
  selected?: string;
}

/** Who asked whom, and when: hosts side by side, messages down the page. */
export function LadderView({ transactions, packets, onOpen, selected }: LadderProps): JSX.Element {
  const ladder = useMemo(() => ladderOf(transactions, packets), [transactions, packets]);
  if (ladder.events.length === 0) return <Empty title={t('explore.ladder.none')} />;
  return <Diagram ladder={ladder} onOpen={onOpen} selected={selected} />;
}

interface DiagramProps {
  ladder: Ladder;
  onOpen: LadderProps['onOpen'];
  selected: string | undefined;
}

function Diagram({ ladder, onOpen, selected }: DiagramProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const layout = useMemo(() => layOut(ladder, width), [ladder, width]);
  return (
    <div class="ladder">
      <div class="ladder-head">
        <span class="faint small">
          {t('explore.ladder.note', { n: ladder.shown, time: moment(exactMs(ladder.start), true) })}
          {ladder.of > ladder.shown && <> · {t('explore.ladder.cut', { n: ladder.shown, of: ladder.of })}</>}
        </span>
        <button
          type="button"
          class="button"
          aria-haspopup="menu"
          onClick={(event) => openMenu(event.currentTarget, t('explore.ladder.save'), saves(ladder, layout))}
        >
          {t('explore.ladder.save')}
        </button>
      </div>
      <div class="ladder-box" ref={box}>
        <svg
          width={layout.width}
          height={layout.height}
          viewBox={`0 0 ${layout.width} ${layout.height}`}
          role="group"
          aria-label={t('explore.ladder.label', { events: ladder.events.length, hosts: ladder.hosts.length })}
        >
          {layout.frame.map((shape, i) => (
            <Drawn key={i} shape={shape} />
          ))}
          {layout.retries.map((shape, i) => (
            <Drawn key={i} shape={shape} />
          ))}
          {layout.rows.map((row) => (
            <Message
              key={row.index}
              row={row}
              width={layout.width}
              onOpen={onOpen}
              selected={row.event.id === selected}
            />
          ))}
        </svg>
      </div>
    </div>
  );
}

function Message({
  row,
  width,
  onOpen,
  selected,
}: {
  row: Row;
  width: number;
  onOpen: ((id: string) => void) | undefined;
  selected: boolean;
}): JSX.Element {
  const { event, y, shapes } = row;
  const label = t('explore.ladder.event', {
    time: timeText(event.at),
    from: event.from,
    to: event.to,
    label: event.label,
  });
  const open = onOpen && (() => onOpen(event.id));
  return (
    <g
      class={`message${selected ? ' selected' : ''}`}
      role={open === undefined ? 'img' : 'button'}
      // SVG knows its attributes by their exact names.
      tabindex={open === undefined ? undefined : 0}
      onClick={open}
      onKeyDown={(pressed) => {
        if (pressed.key === 'Enter' && open !== undefined) {
          pressed.preventDefault();
          open();
        }
      }}
    >
      <title>{label}</title>
      <rect class="hit" x={0} y={y - 19} width={width} height={26} />
      {shapes.map((shape, i) => (
        <Drawn key={i} shape={shape} />
      ))}
    </g>
  );
}

function Drawn({ shape }: { shape: Shape }): JSX.Element {
  if (shape.kind === 'text') {
    const { x, y, anchor, text, mono = false, small = false } = shape;
    return (
      <text x={x} y={y} text-anchor={anchor} class={`${shape.class}${mono ? ' mono' : ''}${small ? ' small' : ''}`}>
        {text}
      </text>
    );
  }
  const points = shape.points.map(([x, y]) => `${x},${y}`).join(' ');
  if (shape.kind === 'area') return <polygon points={points} class={shape.class} />;
  return <polyline points={points} class={`${shape.class}${shape.dashed ? ' dashed' : ''}`} />;
}

function saves(ladder: Ladder, layout: Layout): Parameters<typeof openMenu>[2] {
  const name = `nametap-sequence-${ladder.start.slice(0, 19).replaceAll(':', '')}`;
  return [
    {
      label: t('explore.ladder.svg'),
      run: () => save(`${name}.svg`, new Blob([toSvg(layout, palette, name)], { type: 'image/svg+xml' })),
    },
    { label: t('explore.ladder.png'), run: () => void savePng(`${name}.png`, layout) },
    { label: t('explore.ladder.mermaid'), run: () => void copy(toMermaid(ladder)), separated: true },
  ];
}

/** Colours of the theme shown; lifelines are lines. */
function palette(name: string): string {
  return token(name === 'life' ? 'line-strong' : name);
}

async function savePng(name: string, layout: Layout): Promise<void> {
  const canvas = document.createElement('canvas');
  // Canvases have bounds; a long diagram gets coarser instead of empty.
  const scale = Math.min(2, 16_000 / layout.height, 16_000 / layout.width);
  canvas.width = Math.ceil(layout.width * scale);
  canvas.height = Math.ceil(layout.height * scale);
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.scale(scale, scale);
  drawLadder(context, layout, palette, { sans: token('sans'), mono: token('mono') });
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (blob !== null) save(name, blob);
}

function save(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(URL.revokeObjectURL, 10_000, url);
}

/** Width of the box, followed. */
function useWidth(box: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(640);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const measure = (): void => setWidth(Math.max(360, element.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return width;
}
