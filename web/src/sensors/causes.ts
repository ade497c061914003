import { t, type TextKey } from '../text.ts';

/** What a stage, a fate of a frame or an outcome of a message is called; one that has no text says its own name. */
export function causeText(cause: string): string {
  const key = `cause.${cause.replaceAll(' ', '_')}`;
  const text = t(key as TextKey);
  return text === key ? cause.replaceAll('_', ' ') : text;
}
