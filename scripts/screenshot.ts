/**
 * A picture of terminal output, as SVG, for the documents:
 *
 *   bin/nametap watch --color always … | node scripts/run.mjs scripts/screenshot.ts 'nametap watch' 110 > docs/images/watch.svg
 *
 * Words: the title, and the columns of the terminal (lines are cut there; 100 unless told).
 */
import { text } from 'node:stream/consumers';

const CELL_WIDTH = 8.4;
const LINE_HEIGHT = 19;
const PAD = 18;
const BAR = 34;
const FONT = "ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace";
const INK = '#d7dee6';
const PAPER = '#10171e';
/** Colours 30 to 37 and 90 to 97. */
const COLORS = ['#56646f', '#f0776b', '#5bc79a', '#e2b35a', '#6fa8f5', '#c792ea', '#4cc3c7', '#d7dee6'];
const BRIGHT = ['#8795a3', '#ff968c', '#7fe0b5', '#f2ca7c', '#93c1ff', '#d9b1f3', '#77dde0', '#ffffff'];

interface Style {
  color: string;
  bold: boolean;
  dim: boolean;
  reverse: boolean;
}
const PLAIN: Style = { color: INK, bold: false, dim: false, reverse: false };

/** The style after one SGR code. */
function styled(style: Style, code: number): Style {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 7) return { ...style, reverse: true };
  if (code === 22) return { ...style, bold: false, dim: false };
  if (code === 27) return { ...style, reverse: false };
  if (code === 39) return { ...style, color: INK };
  if (code >= 30 && code <= 37) return { ...style, color: COLORS[code - 30] };
  if (code >= 90 && code <= 97) return { ...style, color: BRIGHT[code - 90] };
  return style;
}

/** One run of characters at a column, as SVG. */
function run(characters: string, column: number, y: number, { color, bold, dim, reverse }: Style): string {
  if (characters.trim() === '' && !reverse) return '';
  const x = (PAD + column * CELL_WIDTH).toFixed(1);
  const width = (Array.from(characters).length * CELL_WIDTH).toFixed(1);
  const back = reverse ? `<rect x="${x}" y="${y - 14}" width="${width}" height="${LINE_HEIGHT}" fill="${color}"/>` : '';
  const marks = `${bold ? ' font-weight="700"' : ''}${dim ? ' opacity=".62"' : ''}`;
  // Viewers fold blanks in a row, whatever xml:space says.
  const escaped = characters.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll(' ', '\u00a0');
  return `${back}<text x="${x}" y="${y}" fill="${reverse ? PAPER : color}" textLength="${width}"${marks}>${escaped}</text>`;
}

/** Lines with SGR codes → SVG. */
function picture(lines: readonly string[], title: string, columns: number): string {
  const width = Math.ceil(columns * CELL_WIDTH + 2 * PAD);
  const height = BAR + lines.length * LINE_HEIGHT + PAD;
  let style = PLAIN;
  const body = lines.map((line, row) => {
    let column = 0;
    let out = '';
    for (const part of line.split(/(\x1b\[[0-9;]*m)/)) {
      const codes = /^\x1b\[([0-9;]*)m$/.exec(part);
      if (codes !== null) for (const code of codes[1].split(';')) style = styled(style, Number(code));
      else {
        const shown = Array.from(part)
          .slice(0, columns - column)
          .join('');
        out += run(shown, column, BAR + 15 + row * LINE_HEIGHT, style);
        column += Array.from(shown).length;
      }
    }
    return out;
  });
  const dots = ['#f0776b', '#e2b35a', '#5bc79a'].map(
    (c, i) => `<circle cx="${PAD + 5 + i * 18}" cy="17" r="5" fill="${c}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
<rect width="${width}" height="${height}" rx="9" fill="${PAPER}"/>${dots.join('')}
<g font-family="${FONT}" font-size="14"><text x="${width / 2}" y="22" fill="#8795a3" text-anchor="middle">${title}</text>
${body.filter((line) => line !== '').join('\n')}
</g></svg>
`;
}

const [title = 'nametap', columns = '100'] = process.argv.slice(2);
const input = (await text(process.stdin)).replaceAll('\r', '').replace(/\n+$/, '');
process.stdout.write(picture(input.split('\n'), title, Number(columns)));
