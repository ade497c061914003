import './target.css';
import type { JSX } from 'preact';
import { t } from '../../text.ts';
import { isDragging } from './drop.ts';

/** Says, while a file is held above the page, what letting go will do. */
export function DropTarget(): JSX.Element | null {
  if (!isDragging.value) return null;
  return (
    <div class="drop-target">
      <strong>{t('explore.file.drop')}</strong>
      <span class="mute">{t('explore.file.drop.text')}</span>
    </div>
  );
}
