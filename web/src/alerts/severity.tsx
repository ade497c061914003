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

/** The colour that goes with how bad something is. */
export function levelOf(severity: Alert['severity']): Level {
  return LEVELS[severity];
}

/** How bad, as shape, colour and word; what is critical has its shape twice. */
export function Severity({ of, named = false }: { of: Alert['severity']; named?: boolean }): JSX.Element {
  const name = t(`alerts.severity.${of}`);
  return named ? (
    <span class={`severity ${LEVELS[of]}`}>
      <Mark level={LEVELS[of]} />
      {of === 'critical' && <Mark level={LEVELS[of]} />} {name}
    </span>
  ) : (
    <Mark level={LEVELS[of]} label={name} />
  );
}

const DOTS = 4;

/** How sure, as filled dots and in percent. */
export function Confidence({ of }: { of: number }): JSX.Element {
  const filled = Math.round(of * DOTS);
  const text = t('alerts.confidence.value', { value: Math.round(of * 100) });
  return (
    <span class="confidence" title={text}>
      <span aria-hidden="true">
        {Array.from({ length: DOTS }, (_, i) => (
          <i key={i} class={i < filled ? 'on' : ''} />
        ))}
      </span>
      {text}
    </span>
  );
}
