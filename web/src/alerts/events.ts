import { useEffect, useRef } from 'preact/hooks';
import { readEvents } from '../api.ts';

const SILENCE_MS = 30_000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
/** Changes that come together are one. */
const GATHER_MS = 250;

/** Calls when an alert has changed, as long as the component is shown. */
export function useAlertEvents(changed: () => void): void {
  const call = useRef(changed);
  call.current = changed;
  useEffect(() => {
    const abort = new AbortController();
    void follow(abort.signal, () => call.current());
    return () => abort.abort();
  }, []);
}

async function follow(signal: AbortSignal, changed: () => void): Promise<void> {
  let wait = FIRST_WAIT_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onEvent = ({ event }: { event: string }): void => {
    wait = FIRST_WAIT_MS;
    if (event !== 'alert') return;
    timer ??= setTimeout(() => {
      timer = undefined;
      if (!signal.aborted) changed();
    }, GATHER_MS);
  };
  while (!signal.aborted) {
    try {
      await readEvents('/api/v1/alerts/events', onEvent, { signal, silenceMs: SILENCE_MS });
    } catch {
      // The list is asked for again in any case; only what comes at once is missing until then.
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(LONGEST_WAIT_MS, 2 * wait);
  }
}
