import { signal } from '@preact/signals';
import type { JSX } from 'preact';

/** What can be done about it, as a button beside the words. */
interface NoticeAction {
  label: string;
  run(): void;
}
interface Notice {
  id: number;
  text: string;
  action: NoticeAction | undefined;
}
const notices = signal<readonly Notice[]>([]);
const SHOWN_MS = 4000;
/** Who may want to press something has longer. */
const ACTION_MS = 10_000;
let nextId = 0;

/** Says something short at the foot of the page, also to screen readers. */
export function notify(text: string, action?: NoticeAction): void {
  const notice = { id: ++nextId, text, action };
  notices.value = [...notices.value.slice(-2), notice];
  setTimeout(() => forget(notice), action === undefined ? SHOWN_MS : ACTION_MS);
}

function forget(notice: Notice): void {
  notices.value = notices.value.filter((other) => other !== notice);
}

/** The page's live region, drawn once by the shell. */
export function Notices(): JSX.Element {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map((notice) => (
        <div key={notice.id}>
          {notice.text}
          {notice.action !== undefined && (
            <button
              type="button"
              class="link"
              onClick={() => {
                forget(notice);
                notice.action?.run();
              }}
            >
              {notice.action.label}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
