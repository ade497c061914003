/** Canvases drawn one a frame: new data for all of them never makes one long frame. */
const queue = new Map<object, () => void>();
let frame = 0;

/** Draws in one of the next frames; asked again for the same owner before that, only the last counts. */
export function drawSoon(owner: object, draw: () => void): void {
  queue.set(owner, draw);
  frame ||= requestAnimationFrame(next);
}

/** The owner is gone: nothing is drawn for it any more. */
export function drawNoMore(owner: object): void {
  queue.delete(owner);
}

function next(): void {
  frame = 0;
  for (const [owner, draw] of queue) {
    queue.delete(owner);
    draw();
    break;
  }
  if (queue.size > 0) frame = requestAnimationFrame(next);
}
