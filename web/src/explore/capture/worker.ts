/** Reads a capture file with nametap's engine, in the browser: nothing of it leaves this worker but to its page. */
import { analyseCapture, type CaptureAnalysis, type DecodedMessage } from '../../../../src/library/browser.ts';
import { FilterError } from '../../../../src/library/filter.ts';
import type { Problem } from '../../../../src/server/schema/common.ts';
import type { Decoded, Packet, Transaction, TransactionDetail } from '../../../../src/server/schema/transactions.ts';
import type { Answer, CapturePage, Opened, Request } from './protocol.ts';

/** What of a worker's own scope is used here. */
interface Port {
  postMessage(answer: Answer, options?: object): void;
  addEventListener(type: 'message', listener: (event: { data: Request }) => void): void;
}
const port = globalThis as unknown as Port;

const PROGRESS_MS = 100;
let analysis: CaptureAnalysis | undefined;
/** Numbers of the rows of the filter asked for last, and of every transaction by its id. */
let found: { f: string; numbers: Uint32Array } | undefined;
let byId: Map<string, number> | undefined;
let children: Map<string, number[]> | undefined;

port.addEventListener('message', ({ data }) => {
  answer(data).then(
    (said) => port.postMessage(said),
    (thrown: unknown) => port.postMessage({ kind: 'problem', id: data.id, problem: problemOf(thrown) }),
  );
});

async function answer(request: Request): Promise<Answer> {
  const { id } = request;
  if (request.kind === 'open') return { kind: 'opened', id, opened: await open(request.file) };
  if (request.kind === 'page') return { kind: 'page', id, page: page(request) };
  if (request.kind === 'packets') return { kind: 'packets', id, packets: await packets(request.transaction) };
  // The rows have the names and texts of the API's.
  if (request.kind === 'groups') return { kind: 'groups', id, rows: opened().groups(request.f, request, telling(id)) };
  return { kind: 'detail', id, detail: detail(request.transaction) };
}

/** Tells how far an answer has come, now and then. */
function telling(id: number): (share: number) => void {
  let told = performance.now();
  return (share) => {
    const now = performance.now();
    if (now - told < PROGRESS_MS) return;
    told = now;
    port.postMessage({ kind: 'share', id, share });
  };
}

async function open(file: File): Promise<Opened> {
  let told = 0;
  analysis = await analyseCapture(file, {
    name: file.name,
    signal: new AbortController().signal,
    zstd: () => import('fzstd'),
    progress(read, total, transactions) {
      const now = performance.now();
      if (now - told < PROGRESS_MS) return;
      told = now;
      port.postMessage({ kind: 'progress', read, total, transactions });
    },
  });
  return { report: analysis.report, total: analysis.total, kept: analysis.kept };
}

function page({ f, after, limit }: { f: string; after: number; limit: number }): CapturePage {
  const all = opened();
  if (found?.f !== f) found = { f, numbers: all.find(f) };
  const { numbers } = found;
  const end = Math.min(numbers.length, after + limit);
  const rows = Array.from(numbers.subarray(after, end), (n) => all.transaction(n));
  return { rows, found: numbers.length, next: end < numbers.length ? end : null };
}

async function packets(id: string): Promise<Packet[]> {
  const all = opened();
  const n = index(all).ids.get(id);
  const found = n === undefined ? [] : await all.packets(n);
  return found.map(({ bytes, ...packet }) => ({ ...packet, hex: hexOf(bytes) }));
}

function detail(id: string): TransactionDetail {
  const all = opened();
  const { ids, below } = index(all);
  const n = ids.get(id);
  if (n === undefined) throw new Error('This transaction is not in the capture.');
  const transaction = all.transaction(n);
  const { query, response } = all.messages(n);
  const one = (other: string | undefined): Transaction | null => {
    const number = other === undefined ? undefined : ids.get(other);
    return number === undefined ? null : all.transaction(number);
  };
  return {
    transaction,
    query: decoded(query),
    response: decoded(response),
    packets: null,
    related: {
      parent: one(transaction.parent),
      children: (below.get(id) ?? []).map((number) => all.transaction(number)),
      tcp_retry: one(transaction.tcp_retry),
      siblings: [],
    },
  };
}

function index(all: CaptureAnalysis): { ids: Map<string, number>; below: Map<string, number[]> } {
  if (byId === undefined || children === undefined) {
    byId = new Map();
    children = new Map();
    for (let n = 0; n < all.kept; n++) {
      const { id, parent } = all.ids(n);
      byId.set(id, n);
      if (parent === '') continue;
      const list = children.get(parent);
      if (list === undefined) children.set(parent, [n]);
      else list.push(n);
    }
  }
  return { ids: byId, below: children };
}

function decoded(message: DecodedMessage | null): Decoded | null {
  if (message === null) return null;
  const { bytes, tree } = message;
  return { hex: hexOf(bytes), tree };
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join('');
}

function opened(): CaptureAnalysis {
  if (analysis === undefined) throw new Error('No capture is open.');
  return analysis;
}

function problemOf(thrown: unknown): Problem {
  const shared = { type: 'about:blank', status: 400 };
  if (thrown instanceof FilterError) {
    return { ...shared, title: thrown.reason, at: { offset: thrown.at, length: thrown.length } };
  }
  return { ...shared, title: thrown instanceof Error ? thrown.message : String(thrown) };
}
