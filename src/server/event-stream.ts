/** What a handler writes events with. */
export interface EventSink {
  /** False when the client is too slow to take it: the stream is over then. `data` becomes JSON. */
  send(event: string, data: unknown, id?: string): boolean;
  /** Resolves once the client has taken most of what was sent; for those who would rather wait than be too fast. */
  ready(): Promise<void>;
  close(): void;
}

/** Bytes that may wait for a client before it counts as too slow. */
const MOST_WAITING_BYTES = 1 << 20;

/**
 * A response of server-sent events. `open` starts the work and gives the function that ends it, which is called once:
 * when the client goes away, is too slow, or the sink is closed.
 */
export function eventStream(open: (events: EventSink) => () => void): Response {
  const encoder = new TextEncoder();
  let end: (() => void) | null = null;
  let isOver = false;
  let wake: (() => void) | null = null;
  const goOn = () => {
    wake?.();
    wake = null;
  };
  const stop = () => {
    isOver = true;
    goOn();
    const ending = end;
    end = null;
    ending?.();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const close = () => {
          if (isOver) return;
          controller.close();
          stop();
        };
        // A first comment: proxies and browsers see that the stream is there.
        controller.enqueue(encoder.encode(': nametap\n\n'));
        const ending = open({
          close,
          ready: () =>
            isOver || (controller.desiredSize ?? 0) > 0
              ? Promise.resolve()
              : new Promise((resolve) => {
                  wake = resolve;
                }),
          send(event, data, id) {
            if (isOver) return false;
            if ((controller.desiredSize ?? 0) <= 0) {
              close();
              return false;
            }
            // JSON has no line breaks, so that it is one line of data.
            const head = id === undefined ? '' : `id: ${id}\n`;
            controller.enqueue(encoder.encode(`${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
            return true;
          },
        });
        if (isOver) ending();
        else end = ending;
      },
      pull: goOn,
      cancel: stop,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: MOST_WAITING_BYTES }),
  );
  return new Response(body, {
    headers: {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      // Reverse proxies must not gather events.
      'X-Accel-Buffering': 'no',
    },
  });
}
