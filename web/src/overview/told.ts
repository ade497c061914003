import type { State } from '../../../src/server/schema/overview.ts';
import { tell } from '../said.ts';
import { language, t } from '../text.ts';

/** A piece of the state's sentence; one that tells a reason leads to its page. */
export interface Piece {
  text: string;
  link: string | null;
}

/** The sentence in pieces, its reasons linked where they stand, and the reasons that it does not tell. */
export function told({ level, reasons, told: most, rest }: State): { pieces: Piece[]; rest: State['reasons'] } {
  const inside = reasons.filter((reason) => reason.level === level).slice(0, most);
  const parts: Piece[] = inside.map((reason) => ({ text: tell(reason.text, reason.said), link: reason.link }));
  if (rest !== null) parts.push({ text: tell(rest.text, rest.said), link: null });
  const pieces: Piece[] = [{ text: t(`state.${level}`) + t('state.colon'), link: null }];
  parts.forEach((part, i) => {
    if (i > 0) pieces.push({ text: t('state.and'), link: null });
    pieces.push(part);
  });
  pieces.push({ text: t('state.stop'), link: null });
  return { pieces, rest: reasons.filter((reason) => !inside.includes(reason)) };
}

/** The sentence as one text. */
export function sentenceOf(state: State): string {
  return language.value === 'en'
    ? state.sentence
    : told(state)
        .pieces.map(({ text }) => text)
        .join('');
}
