import type { JSX } from 'preact';
import type { Privacy } from '../../../src/server/schema/overview.ts';
import { session } from '../api.ts';
import { privacyText } from '../said.ts';
import { t } from '../text.ts';
import { Icon } from '../ui/icons.tsx';

/** What is done to client addresses before they are stored, and that looking at one is recorded. */
export function PrivacyNotice({ of }: { of?: Privacy }): JSX.Element | null {
  const privacy = of ?? session.value?.privacy;
  if (privacy === undefined) return null;
  return (
    <p class="privacy-note">
      <Icon name="shield" />
      <span>
        <strong>{t('shell.privacy', { level: privacy.level })}</strong> {privacyText(privacy)}{' '}
        <span class="mute">{t('clients.audited')}</span>
      </span>
    </p>
  );
}
