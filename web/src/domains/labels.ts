/** Labels of a name in presentation form, leftmost first, escapes kept (`a\.b.example` → `a\.b`, `example`); root → none. */
export function splitLabels(name: string): string[] {
  const labels: string[] = [];
  let start = 0;
  for (let i = 0; i < name.length; i++) {
    if (name[i] === '\\') i++;
    else if (name[i] === '.') {
      if (i > start) labels.push(name.slice(start, i));
      start = i + 1;
    }
  }
  if (start < name.length) labels.push(name.slice(start));
  return labels;
}

/** Octets of presentation text as numbers: `\DDD` and `\X` are one each (RFC 1035 §5.1). */
export function octetsOf(text: string): number[] {
  const octets: number[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') octets.push(text.charCodeAt(i));
    else if (/^\d{3}/.test(text.slice(i + 1, i + 4))) {
      octets.push(Number(text.slice(i + 1, i + 4)));
      i += 3;
    } else if (i + 1 < text.length) octets.push(text.charCodeAt(++i));
  }
  return octets;
}

/** Shannon entropy of the octets, bits per octet (0 … 8), case folded as DNS does; 0 of nothing. */
export function entropyOf(octets: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const octet of octets) {
    const folded = octet >= 65 && octet <= 90 ? octet + 32 : octet;
    counts.set(folded, (counts.get(folded) ?? 0) + 1);
  }
  let bits = 0;
  for (const n of counts.values()) bits -= (n / octets.length) * Math.log2(n / octets.length);
  return bits;
}

export interface LabelShape {
  /** Buckets of the longest label below the domain, octets: names whose value is in [from, to). */
  length: Bucket[];
  /** Buckets of the entropy of everything below the domain, bits per octet. */
  entropy: Bucket[];
  /** Names looked at: those below the domain. */
  names: number;
  longest: { name: string; octets: number } | null;
}
export interface Bucket {
  from: number;
  to: number;
  names: number;
  /** The one that was asked most, as an example. */
  example: string | null;
}

const LENGTH_EDGES = [1, 4, 8, 12, 16, 24, 32, 48, 64];
const ENTROPY_EDGES = [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 8.01];

/** How the labels below `domain` look: words are short and repeat letters, encoded data is long and does not. */
export function labelShape(domain: string, names: readonly string[]): LabelShape {
  const base = splitLabels(domain).length;
  const length = buckets(LENGTH_EDGES);
  const entropy = buckets(ENTROPY_EDGES);
  const shape: LabelShape = { length, entropy, names: 0, longest: null };
  for (const name of names) {
    const labels = splitLabels(name);
    const below = labels.slice(0, labels.length - base).map(octetsOf);
    if (below.length === 0) continue;
    shape.names++;
    const octets = Math.max(...below.map((label) => label.length));
    if (octets > (shape.longest?.octets ?? 0)) shape.longest = { name, octets };
    put(length, octets, name);
    put(entropy, entropyOf(below.flat()), name);
  }
  return shape;
}

function buckets(edges: readonly number[]): Bucket[] {
  return edges.slice(0, -1).map((from, i) => ({ from, to: edges[i + 1], names: 0, example: null }));
}

function put(list: Bucket[], value: number, name: string): void {
  const bucket = list.find(({ from, to }) => value >= from && value < to);
  if (bucket === undefined) return;
  bucket.names++;
  bucket.example ??= name;
}
