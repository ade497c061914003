import type { JSX } from 'preact';
import type { Alert } from '../../../src/server/schema/alerts.ts';
import { t } from '../text.ts';
import { type Level, Mark } from '../ui/icons.tsx';

const LEVELS: Readonly<Record<Alert['severity'], Level>> = {
  critical: 'alarm',
  high: 'alarm',
  medium: 'attention',
  low: 'info',
};

/** How bad, as shape, colour and word. */
export function Severity({ of, named = false }: { of: Alert['severity']; named?: boolean }): JSX.Element {
  const name = t(`alerts.severity.${of}`);
  return named ? (
    <span class={`severity ${LEVELS[of]}`}>
      <Mark level={LEVELS[of]} /> {name}
    </span>
  ) : (
    <Mark level={LEVELS[of]} label={name} />
  );
}
