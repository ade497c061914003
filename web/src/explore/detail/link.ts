import type { TreeNode } from '../../../../src/server/schema/transactions.ts';

/** A line of the decoded message; its octets are [at, end). */
export interface TreeLine {
  node: TreeNode;
  depth: number;
  /** Index of the line above it in the tree; −1 at the top. */
  parent: number;
  at: number;
  end: number;
  hasChildren: boolean;
}

/** More lines are not shown: messages are hostile. */
const MOST_LINES = 5000;

/** The tree as lines, in order; without recursion, as deep as it is. */
export function treeLines(tree: readonly TreeNode[]): TreeLine[] {
  const lines: TreeLine[] = [];
  const open: { nodes: readonly TreeNode[]; next: number; parent: number }[] = [{ nodes: tree, next: 0, parent: -1 }];
  for (let level = open.at(-1); level !== undefined && lines.length < MOST_LINES; level = open.at(-1)) {
    const node = level.nodes[level.next++];
    if (node === undefined) {
      open.pop();
      continue;
    }
    const { offset, length = 0, bits, children = [] } = node;
    const at = offset ?? -1;
    // Bits lie within one octet.
    const end = at < 0 ? -1 : at + (length === 0 && bits !== undefined ? 1 : length);
    const index =
      lines.push({ node, depth: open.length - 1, parent: level.parent, at, end, hasChildren: children.length > 0 }) - 1;
    if (children.length > 0) open.push({ nodes: children, next: 0, parent: index });
  }
  return lines;
}

/** The line that says most exactly what an octet is: the shortest that holds it, of several the deepest; −1 without. */
export function lineOf(lines: readonly TreeLine[], octet: number): number {
  let best = -1;
  for (let i = 0; i < lines.length; i++) {
    const { at, end, node } = lines[i];
    if (at < 0 || octet < at || octet >= end || node.bits !== undefined) continue;
    if (best < 0 || end - at <= lines[best].end - lines[best].at) best = i;
  }
  return best;
}

/** Lines in sight when those in `closed` hide what is below them. */
export function visibleLines(lines: readonly TreeLine[], closed: ReadonlySet<number>): number[] {
  const shown: number[] = [];
  const hidden = new Set<number>();
  lines.forEach(({ parent }, i) => {
    if (parent >= 0 && (closed.has(parent) || hidden.has(parent))) hidden.add(i);
    else shown.push(i);
  });
  return shown;
}

/** The line and everything above it. */
export function pathOf(lines: readonly TreeLine[], index: number): number[] {
  const path: number[] = [];
  for (let i = index; i >= 0; i = lines[i].parent) path.push(i);
  return path;
}

/** Octets of hexadecimal digits; what is no digit pair ends it. */
export function octetsOf(hex: string): Uint8Array {
  const digits = /^(?:[0-9a-f]{2})*/i.exec(hex)?.[0] ?? '';
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** The sign an octet stands for beside the hexadecimal digits. */
export function sign(octet: number): string {
  return octet > 0x20 && octet < 0x7f ? String.fromCharCode(octet) : octet === 0x20 ? ' ' : '·';
}
