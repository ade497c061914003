import { type Piece, pieces } from '../../filter.ts';

/** A run of a filter's text that looks alike. */
export interface Segment {
  at: number;
  text: string;
  kind: Piece['kind'];
  wrong: boolean;
}

/** The text in runs: cut where its kind changes, at the ends of what is wrong, and at `mark`. Together they are the text. */
export function segments(text: string, wrong: { at: number; length: number } | null, mark: number): Segment[] {
  const cuts = new Set<number>([mark]);
  if (wrong !== null) cuts.add(wrong.at).add(wrong.at + wrong.length);
  const runs: Segment[] = [];
  let at = 0;
  for (const piece of pieces(text)) {
    let from = 0;
    for (let i = 1; i <= piece.text.length; i++) {
      if (i < piece.text.length && !cuts.has(at + i)) continue;
      const start = at + from;
      const isWrong = wrong !== null && start >= wrong.at && start < wrong.at + wrong.length;
      runs.push({ at: start, text: piece.text.slice(from, i), kind: piece.kind, wrong: isWrong });
      from = i;
    }
    at += piece.text.length;
  }
  // What is missing at the end is marked behind it.
  if (wrong !== null && wrong.at >= text.length) runs.push({ at: text.length, text: ' ', kind: 'space', wrong: true });
  return runs;
}
