/** A stage of the loss ledger as the API tells it: in = out + Σ lost. */
export interface FlowStage {
  stage: string;
  unit: 'frames' | 'messages' | 'transactions';
  in: number;
  out: number;
  lost: Record<string, number>;
}

export interface FlowNode {
  stage: string;
  unit: FlowStage['unit'];
  in: number;
  out: number;
  /** Place and size in the drawing, px. Heights are to scale within one unit: `in` of its first stage = the full height. */
  x: number;
  top: number;
  height: number;
  outHeight: number;
  lost: { cause: string; count: number; height: number }[];
  lostTotal: number;
  /** in − out − Σ lost; not 0 = the ledger does not sum. */
  rest: number;
  /** The unit differs from the stage before: frames became messages, so heights start anew. */
  turns: boolean;
}

export interface Flow {
  nodes: FlowNode[];
  width: number;
  height: number;
  sums: boolean;
}

/** The ledger drawn to scale, left to right. Losses that are not 0 stay visible: at least `LEAST` px. */
export function flow(stages: readonly FlowStage[], width: number, height: number): Flow {
  const gap = stages.length === 0 ? 0 : width / stages.length;
  let full = 1;
  const nodes = stages.map((stage, i): FlowNode => {
    const turns = i > 0 && stages[i - 1].unit !== stage.unit;
    if (i === 0 || turns) full = Math.max(1, stage.in);
    const scale = (n: number): number => (n <= 0 ? 0 : Math.max(LEAST, (n / full) * height));
    const lost = Object.entries(stage.lost)
      .filter(([, count]) => count > 0)
      .sort((a, b) => b[1] - a[1])
      .map(([cause, count]) => ({ cause, count, height: scale(count) }));
    const lostTotal = lost.reduce((sum, { count }) => sum + count, 0);
    return {
      stage: stage.stage,
      unit: stage.unit,
      in: stage.in,
      out: stage.out,
      x: i * gap,
      top: 0,
      height: scale(stage.in),
      outHeight: scale(stage.out),
      lost,
      lostTotal,
      rest: stage.in - stage.out - lostTotal,
      turns,
    };
  });
  return { nodes, width, height, sums: nodes.every(({ rest }) => rest === 0) && chained(nodes) };
}

const LEAST = 2;

/** Within one unit, what one stage lets through is what the next one gets. */
function chained(nodes: readonly FlowNode[]): boolean {
  return nodes.every((node, i) => i === 0 || node.turns || node.in === nodes[i - 1].out);
}

/**
 * Causes that are a loss of ours: there was no room, or no disk. The others were left out on purpose, or came broken over
 * the wire; they are counted as well.
 */
const LOSSES = new Set([
  'kernel',
  'interface',
  'fragment_evicted',
  'stream_evicted',
  'evicted',
  'store_queue',
  'store_disk',
  'store_failed',
]);
export function isLoss(cause: string): boolean {
  return LOSSES.has(cause);
}
