import type { Ladder } from './events.ts';
import { type Layout, type Shape, timeText } from './layout.ts';

/** Colours by class of a shape. */
export type Palette = (name: string) => string;

/** All shapes of a diagram, in the order they are drawn. */
export function shapesOf(layout: Layout): Shape[] {
  return [...layout.frame, ...layout.retries, ...layout.rows.flatMap(({ shapes }) => shapes)];
}

/** The diagram as an SVG file of its own. Every text is escaped. */
export function toSvg(layout: Layout, palette: Palette, title: string): string {
  const { width, height } = layout;
  const parts = shapesOf(layout).map((shape) => svgShape(shape, palette));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="100%" height="100%" fill="${escapeXml(palette('panel'))}"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function svgShape(shape: Shape, palette: Palette): string {
  const color = escapeXml(palette(shape.class));
  if (shape.kind === 'text') {
    const font = shape.mono ? 'ui-monospace, monospace' : 'system-ui, sans-serif';
    return (
      `<text x="${shape.x}" y="${shape.y}" text-anchor="${shape.anchor}" fill="${color}" ` +
      `stroke="${escapeXml(palette('panel'))}" stroke-width="4" stroke-linejoin="round" paint-order="stroke" ` +
      `font-family="${font}" font-size="${shape.small ? 11 : 12}">${escapeXml(shape.text)}</text>`
    );
  }
  const points = shape.points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ');
  if (shape.kind === 'area') return `<polygon points="${points}" fill="${color}"/>`;
  const dash = shape.dashed ? ' stroke-dasharray="4 3"' : '';
  return `<polyline points="${points}" fill="none" stroke="${color}" stroke-width="1.3"${dash}/>`;
}

/** Characters that XML gives a meaning to, and those that it cannot hold. */
function escapeXml(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])/g, '\ufffd')
    .replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** Draws the diagram; a picture needs no SVG decoder, whose sources the page's policy forbids. */
export function drawLadder(
  context: Pick<
    CanvasRenderingContext2D,
    | 'fillStyle'
    | 'strokeStyle'
    | 'lineWidth'
    | 'font'
    | 'textAlign'
    | 'fillRect'
    | 'beginPath'
    | 'moveTo'
    | 'lineTo'
    | 'closePath'
    | 'fill'
    | 'stroke'
    | 'setLineDash'
    | 'fillText'
    | 'strokeText'
  >,
  layout: Layout,
  palette: Palette,
  fonts: { sans: string; mono: string },
): void {
  context.fillStyle = palette('panel');
  context.fillRect(0, 0, layout.width, layout.height);
  context.lineWidth = 1.3;
  for (const shape of shapesOf(layout)) {
    context.fillStyle = context.strokeStyle = palette(shape.class);
    if (shape.kind === 'text') {
      context.font = `${shape.small ? 11 : 12}px ${shape.mono ? fonts.mono : fonts.sans}`;
      context.textAlign = shape.anchor === 'middle' ? 'center' : shape.anchor;
      // Lines do not run through letters.
      context.lineWidth = 4;
      context.strokeStyle = palette('panel');
      context.setLineDash([]);
      context.strokeText(shape.text, shape.x, shape.y);
      context.lineWidth = 1.3;
      context.fillText(shape.text, shape.x, shape.y);
      continue;
    }
    context.beginPath();
    shape.points.forEach(([x, y], i) => {
      if (i === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    });
    if (shape.kind === 'area') {
      context.closePath();
      context.fill();
    } else {
      context.setLineDash(shape.dashed ? [4, 3] : []);
      context.stroke();
    }
  }
}

/** The diagram in Mermaid's language: what `mermaid.live`, GitHub and GitLab draw. */
export function toMermaid(ladder: Ladder): string {
  const ids = new Map(ladder.hosts.map(({ address }, i) => [address, `h${i}`]));
  const lines = ['sequenceDiagram'];
  for (const { address, name, role } of ladder.hosts) {
    lines.push(`  participant ${ids.get(address)} as ${mermaidText(name ?? address)} (${role})`);
  }
  ladder.events.forEach(({ kind, from, to, at, transport, label }, index) => {
    const arrow = kind === 'query' ? '->>' : kind === 'response' ? '-->>' : kind === 'lost' ? '--x' : '-)';
    const text = `${timeText(at)} ${transport === 'udp' ? '' : `${transport.toUpperCase()} `}${label}`;
    lines.push(`  ${ids.get(from)}${arrow}${ids.get(to)}: ${mermaidText(text)}`);
    if (ladder.retries.some((retry) => retry.from === index)) {
      lines.push(`  Note over ${ids.get(to)}: truncated, asked again over TCP`);
    }
  });
  return `${lines.join('\n')}\n`;
}

/** Signs that end a message or begin a tag in Mermaid become its character codes. */
function mermaidText(text: string): string {
  return Array.from(text, (sign) =>
    /[\p{L}\p{N} .,:·+()/_=-]|µ/u.test(sign) ? sign : `#${sign.codePointAt(0)};`,
  ).join('');
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}
