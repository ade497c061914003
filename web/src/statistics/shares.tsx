import type { ComponentChildren, JSX } from 'preact';
import type { Share } from '../../../src/server/schema/common.ts';
import type { ValueKind } from '../filter.ts';
import { percent, plain } from '../format.ts';
import { t } from '../text.ts';
import { type Bar, Bars } from '../ui/bars.tsx';
import { Empty } from '../ui/panel.tsx';
import { Value } from '../ui/value.tsx';
import { Num } from './number.tsx';

/** A breakdown as bars: each value with its menu, its part in percent, which leads to its log. */
export function Shares({
  label,
  kind,
  shares,
  most = 8,
  aside,
}: {
  label: string;
  kind: ValueKind;
  shares: readonly Share[];
  most?: number;
  /** Something small behind a value, such as that it is new. */
  aside?: (key: string) => ComponentChildren;
}): JSX.Element {
  if (shares.length === 0) return <Empty title={t('chart.none')} />;
  const bars = shares.slice(0, most).map((share): Bar => {
    const mark = aside?.(share.key);
    return {
      key: share.key,
      label: (
        <Value kind={kind} value={share.key} f={share.f ?? undefined}>
          {share.key === '' ? t('list.none') : share.key}
        </Value>
      ),
      value: share.count,
      text: (
        <Num value={share.count} f={share.f} whole>
          {share.ratio === null ? undefined : plain(percent(share.ratio))}
        </Num>
      ),
      level: levelOf(kind, share.key),
      ...(mark === undefined || mark === null ? {} : { aside: mark }),
    };
  });
  return <Bars label={label} bars={bars} />;
}

/** Codes that are a failure are coloured as such; their names say it too. */
function levelOf(kind: ValueKind, key: string): NonNullable<Bar['level']> {
  if (kind !== 'rcode') return 'none';
  if (key === 'SERVFAIL' || key === 'REFUSED' || key === 'FORMERR') return 'alarm';
  return key === 'NXDOMAIN' ? 'attention' : 'none';
}
