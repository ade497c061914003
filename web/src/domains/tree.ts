import { splitLabels } from './labels.ts';

/** A name with everything below it. */
export interface NameNode {
  /** What stands before the parent's name: one label, or several where nothing branches between. */
  label: string;
  name: string;
  /** Transactions of the name itself, and with everything below. */
  own: number;
  transactions: number;
  /** Most clients that any one name of it had: at least so many. */
  clients: number;
  /** Distinct names at and below it that were asked. */
  names: number;
  children: NameNode[];
}

export interface NameCount {
  name: string;
  transactions: number;
  clients: number;
}

/**
 * Names below `domain` as a tree, the most asked first. Names that are not below it are left out. Walks with an own stack:
 * a name may have 127 labels.
 */
export function nameTree(domain: string, rows: readonly NameCount[]): NameNode {
  const root = node(domain, domain);
  const base = splitLabels(domain);
  const index = new Map<string, NameNode>([[domain, root]]);
  for (const row of rows) {
    const labels = splitLabels(row.name);
    const below = labels.length - base.length;
    if (below < 0 || base.some((label, i) => label.toLowerCase() !== labels[below + i].toLowerCase())) continue;
    let at = root;
    const path = [root];
    for (let i = below - 1; i >= 0; i--) {
      const name = `${labels[i]}.${at.name}`;
      let next = index.get(name);
      if (next === undefined) {
        next = node(labels[i], name);
        index.set(name, next);
        at.children.push(next);
      }
      at = next;
      path.push(at);
    }
    at.own += row.transactions;
    for (const step of path) {
      step.transactions += row.transactions;
      step.names++;
      step.clients = Math.max(step.clients, row.clients);
    }
  }
  for (const each of walk(root)) {
    each.children = each.children
      .map(fold)
      .sort((a, b) => b.transactions - a.transactions || (a.name < b.name ? -1 : 1));
  }
  return root;
}

/** A node that only leads to one other is shown with it: `a.b` under `example`. */
function fold(start: NameNode): NameNode {
  let at = start;
  let label = at.label;
  while (at.own === 0 && at.children.length === 1) {
    at = at.children[0];
    label = `${at.label}.${label}`;
  }
  return at === start ? start : Object.assign(at, { label });
}

/** A row of the tree as a table shows it, closed nodes without their children. `depth` 0 = directly below the domain. */
export interface NameRow {
  node: NameNode;
  depth: number;
}

/** Visible rows in order. At most `most` children of each node; what is left out is in `hidden` of the result. */
export function treeRows(root: NameNode, open: ReadonlySet<string>, most: number): { rows: NameRow[]; hidden: number } {
  const rows: NameRow[] = [];
  let hidden = 0;
  const stack: NameRow[] = [];
  const push = (parent: NameNode, depth: number): void => {
    hidden += Math.max(0, parent.children.length - most);
    for (const child of parent.children.slice(0, most).reverse()) stack.push({ node: child, depth });
  };
  push(root, 0);
  for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
    rows.push(row);
    if (open.has(row.node.name)) push(row.node, row.depth + 1);
  }
  return { rows, hidden };
}

function* walk(root: NameNode): Generator<NameNode> {
  const stack = [root];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    yield at;
    stack.push(...at.children);
  }
}

function node(label: string, name: string): NameNode {
  return { label, name, own: 0, transactions: 0, clients: 0, names: 0, children: [] };
}
