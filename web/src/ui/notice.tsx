import { signal } from '@preact/signals';
import type { JSX } from 'preact';

interface Notice {
  id: number;
  text: string;
}
const notices = signal<readonly Notice[]>([]);
const SHOWN_MS = 4000;
let nextId = 0;

/** Says something short at the foot of the page, also to screen readers. */
export function notify(text: string): void {
  const notice = { id: ++nextId, text };
  notices.value = [...notices.value.slice(-2), notice];
  setTimeout(() => {
    notices.value = notices.value.filter((other) => other !== notice);
  }, SHOWN_MS);
}

/** The page's live region, drawn once by the shell. */
export function Notices(): JSX.Element {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map(({ id, text }) => (
        <div key={id}>{text}</div>
      ))}
    </div>
  );
}
