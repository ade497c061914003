import { signal } from '@preact/signals';
import { go, link, path } from '../../state.ts';

/** A file is held above the page. */
export const isDragging = signal(false);

/** Shows a capture file: it is read here, in the browser, and by nothing else. */
export async function showFile(file: File): Promise<void> {
  const { openCapture } = await import('./capture.ts');
  openCapture(file);
  const to = link('/explore/file', { f: null, sel: null });
  if (path.value !== '/explore/file') go(to);
}

/** Takes capture files dropped anywhere on the page; once, at the start. */
export function startDrop(): void {
  let depth = 0;
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true;
  addEventListener('dragenter', (event) => {
    if (!hasFiles(event)) return;
    depth++;
    isDragging.value = true;
  });
  addEventListener('dragleave', (event) => {
    if (!hasFiles(event)) return;
    depth = Math.max(0, depth - 1);
    isDragging.value = depth > 0;
  });
  addEventListener('dragover', (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    // Without this the browser would leave the page and show the file.
    event.preventDefault();
    depth = 0;
    isDragging.value = false;
    const file = event.dataTransfer?.files[0];
    if (file !== undefined) void showFile(file);
  });
}
