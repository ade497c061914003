/** How one name passes for another. */

// Letters of other scripts, and signs, that look like Latin ones (after UTS 39, the common part of its table).
const ALIKE: Readonly<Record<string, string>> = {
  а: 'a',
  ɑ: 'a',
  α: 'a',
  ạ: 'a',
  ӓ: 'a',
  Ь: 'b',
  ь: 'b',
  β: 'b',
  ƅ: 'b',
  с: 'c',
  ϲ: 'c',
  ⅽ: 'c',
  ԁ: 'd',
  ɗ: 'd',
  ⅾ: 'd',
  е: 'e',
  ҽ: 'e',
  ε: 'e',
  є: 'e',
  ғ: 'f',
  ƒ: 'f',
  ɡ: 'g',
  ց: 'g',
  һ: 'h',
  հ: 'h',
  і: 'i',
  ı: 'i',
  ι: 'i',
  ӏ: 'l',
  ј: 'j',
  ϳ: 'j',
  κ: 'k',
  к: 'k',
  ҡ: 'k',
  ⅼ: 'l',
  ł: 'l',
  ǀ: 'l',
  м: 'rn',
  ⅿ: 'rn',
  η: 'n',
  п: 'n',
  ո: 'n',
  о: 'o',
  ο: 'o',
  σ: 'o',
  օ: 'o',
  ө: 'o',
  ø: 'o',
  р: 'p',
  ρ: 'p',
  ԛ: 'q',
  զ: 'q',
  г: 'r',
  ѕ: 's',
  ʂ: 's',
  т: 't',
  τ: 't',
  υ: 'u',
  ս: 'u',
  ц: 'u',
  ν: 'v',
  ѵ: 'v',
  ѡ: 'w',
  ԝ: 'w',
  ω: 'w',
  х: 'x',
  χ: 'x',
  у: 'y',
  ү: 'y',
  γ: 'y',
  ʏ: 'y',
  ʐ: 'z',
  ẓ: 'z',
  в: 'b',
  н: 'h',
  æ: 'ae',
  œ: 'oe',
  ß: 'b',
  đ: 'd',
  ħ: 'h',
  ŧ: 't',
};

// What looks alike in ASCII: told apart by nobody who reads quickly.
const ASCII: [RegExp, string][] = [
  [/rn/g, 'm'],
  [/vv/g, 'w'],
  [/cl/g, 'd'],
  [/0/g, 'o'],
  [/[1i|]/g, 'l'],
  [/5/g, 's'],
];

/** What a label looks like: its skeleton (UTS 39), further folded by what ASCII letters pass for. */
export function skeleton(label: string): string {
  let text = '';
  for (const letter of label.normalize('NFKD')) {
    if (/\p{M}/u.test(letter)) continue;
    text += ALIKE[letter] ?? letter;
  }
  for (const [from, to] of ASCII) text = text.replace(from, to);
  return text;
}

const BASE = 36;
const T_MIN = 1;
const T_MAX = 26;
const SKEW = 38;
const DAMP = 700;
const FIRST_BIAS = 72;
const FIRST_CODE = 128;

/** The letters of an `xn--` label (RFC 3492 §6.2); the label itself where it is none, or broken. */
export function unicodeLabel(label: string): string {
  if (!label.startsWith('xn--')) return label;
  const written = label.slice(4);
  const split = written.lastIndexOf('-');
  const output = Array.from(split > 0 ? written.slice(0, split) : '', (letter) => letter.charCodeAt(0));
  let code = FIRST_CODE;
  let bias = FIRST_BIAS;
  let i = 0;
  for (let at = split + 1; at < written.length; ) {
    const before = i;
    for (let weight = 1, k = BASE; ; k += BASE) {
      const digit = digitOf(written.charCodeAt(at++));
      if (digit < 0) return label;
      i += digit * weight;
      const threshold = Math.min(T_MAX, Math.max(T_MIN, k - bias));
      if (digit < threshold) break;
      weight *= BASE - threshold;
    }
    const length = output.length + 1;
    bias = adapted(i - before, length, before === 0);
    code += Math.floor(i / length);
    i %= length;
    if (code > 0x10ffff) return label;
    output.splice(i++, 0, code);
  }
  return String.fromCodePoint(...output);
}

function adapted(delta: number, length: number, isFirst: boolean): number {
  let rest = isFirst ? Math.floor(delta / DAMP) : delta >> 1;
  rest += Math.floor(rest / length);
  let k = 0;
  for (; rest > ((BASE - T_MIN) * T_MAX) / 2; k += BASE) rest = Math.floor(rest / (BASE - T_MIN));
  return k + Math.floor(((BASE - T_MIN + 1) * rest) / (rest + SKEW));
}

function digitOf(c: number): number {
  if (c >= 0x61 && c <= 0x7a) return c - 0x61;
  if (c >= 0x41 && c <= 0x5a) return c - 0x41;
  return c >= 0x30 && c <= 0x39 ? c - 0x30 + 26 : -1;
}

/** Whether one change (a letter more, less, another, or two swapped) makes `b` of `a`; never when they are equal. */
export function isOneChange(a: string, b: string): boolean {
  if (a === b || Math.abs(a.length - b.length) > 1) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  if (a.length > b.length) return a.slice(i + 1) === b.slice(i);
  if (a.length < b.length) return a.slice(i) === b.slice(i + 1);
  if (a.slice(i + 1) === b.slice(i + 1)) return true;
  return a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2);
}

/** Whether `b` is `a` with one bit turned over, as memory errors do. */
export function isBitFlip(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let flips = 0;
  for (let i = 0; i < a.length; i++) {
    const bits = a.charCodeAt(i) ^ b.charCodeAt(i);
    if (bits !== 0 && ((bits & (bits - 1)) !== 0 || ++flips > 1)) return false;
  }
  return flips === 1;
}
