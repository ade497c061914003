import type { State } from '../../../src/server/schema/overview.ts';

/** A piece of the state's sentence; one that tells a reason leads to its page. */
export interface Piece {
  text: string;
  link: string | null;
}

/** The sentence in pieces, its reasons linked where they stand, and the reasons that it does not tell. */
export function told({ sentence, reasons }: State): { pieces: Piece[]; rest: State['reasons'] } {
  const found = reasons
    .map((reason) => ({ reason, at: sentence.indexOf(reason.text) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at);
  const pieces: Piece[] = [];
  let from = 0;
  for (const { reason, at } of found) {
    if (at < from) continue;
    if (at > from) pieces.push({ text: sentence.slice(from, at), link: null });
    pieces.push({ text: reason.text, link: reason.link });
    from = at + reason.text.length;
  }
  if (from < sentence.length) pieces.push({ text: sentence.slice(from), link: null });
  return { pieces, rest: reasons.filter(({ text }) => !sentence.includes(text)) };
}
