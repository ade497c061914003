import type { JSX } from 'preact';
import type { ReportValue } from '../../../../src/report/value.ts';
import { and, term, type ValueKind } from '../../filter.ts';
import { bytes, count, duration, exact, milliseconds, percent, plain } from '../../format.ts';
import { filter, here } from '../../state.ts';
import { t } from '../../text.ts';
import { Bars } from '../../ui/bars.tsx';
import { Icon } from '../../ui/icons.tsx';
import { Empty, IconButton, Panel, Problem } from '../../ui/panel.tsx';
import { Tile, Tiles } from '../../ui/tile.tsx';
import { Value } from '../../ui/value.tsx';
import { OpenButton } from '../tools.tsx';
import { type Capture, closeCapture } from './capture.ts';

/** What the dropped file is and holds, and that it stayed here. */
export function CaptureHead({ capture }: { capture: Capture | null }): JSX.Element {
  if (capture === null) {
    return (
      <Panel title={t('explore.file.none')}>
        <Empty title={t('explore.file.stays')} action={<OpenButton primary />}>
          {t('explore.file.none.text')}
        </Empty>
      </Panel>
    );
  }
  const { opened, error, name, size, read, transactions } = capture;
  return (
    <>
      <div class="file-note">
        <Icon name="shield" />
        <strong class="mono">{name}</strong>
        <span class="faint">{plain(bytes(size))}</span>
        <span>{t('explore.file.note')}</span>
        <IconButton icon="close" label={t('explore.file.close')} onClick={closeCapture} />
      </div>
      {error !== null && <Problem error={error} />}
      {opened === null && error === null && (
        <div class="file-progress" role="status">
          <progress max={size} value={read} aria-label={name} />
          <span class="mute">
            {t('explore.file.reading', {
              name,
              read: plain(bytes(read)),
              size: plain(bytes(size)),
              n: exact(transactions),
            })}
          </span>
        </div>
      )}
      {opened !== null && (
        <>
          {opened.kept < opened.total && (
            <p class="attn">{t('explore.file.part', { kept: exact(opened.kept), total: exact(opened.total) })}</p>
          )}
          {opened.report.source.damage?.map(({ offset, reason }) => (
            <p key={offset} class="attn" role="alert">
              {t('explore.file.damage', { offset, reason })}
            </p>
          ))}
          <ReportTiles report={opened.report} />
          <div class="file-panels">
            <Top title={t('explore.file.types')} kind="type" rows={opened.report.types} />
            <Top title={t('explore.file.rcodes')} kind="rcode" rows={opened.report.rcodes} />
            <Top title={t('explore.file.domains')} kind="domain" rows={opened.report.domains.top} />
            <Top title={t('explore.file.servers')} kind="server" rows={opened.report.servers.top} />
          </div>
        </>
      )}
    </>
  );
}

function ReportTiles({ report }: { report: ReportValue }): JSX.Element {
  const { transactions, latency, nxdomain, unanswered, period, clients, names, ledger } = report;
  const ms = (value: number | null): ReturnType<typeof milliseconds> | null =>
    value === null ? null : milliseconds(value);
  const part = (ratio: number | null): ReturnType<typeof percent> | null => (ratio === null ? null : percent(ratio));
  const only = (f: string): string => here({ f: and(filter.value, f), sel: null });
  return (
    <Tiles label={t('explore.file.transactions')}>
      <Tile
        label={t('explore.file.transactions')}
        shown={{ text: count(transactions.count), unit: '' }}
        note={t('explore.file.span', { span: duration(period.seconds) })}
      />
      <Tile
        label={t('explore.file.frames')}
        shown={{ text: count(ledger.received), unit: '' }}
        note={t('explore.file.frames.note', { n: count(ledger.frames.carried ?? 0) })}
      />
      <Tile
        label={t('explore.file.nxdomain')}
        shown={part(nxdomain.ratio)}
        note={exact(nxdomain.count)}
        href={only('dns.flags.rcode == 3')}
      />
      <Tile
        label={t('explore.file.unanswered')}
        shown={part(unanswered.ratio)}
        note={exact(unanswered.count)}
        href={only('dns.response_missing')}
      />
      <Tile label={t('explore.file.p50')} shown={ms(latency.p50)} note={`n ${exact(latency.n)}`} />
      <Tile
        label={t('explore.file.p99')}
        shown={ms(latency.p99)}
        note={`max ${latency.max === null ? '–' : plain(milliseconds(latency.max))}`}
      />
      <Tile label={t('explore.file.clients')} shown={{ text: count(clients.distinct.value), unit: '' }} note="" />
      <Tile label={t('explore.file.names')} shown={{ text: count(names.distinct.value), unit: '' }} note="" />
    </Tiles>
  );
}

function Top({
  title,
  kind,
  rows,
}: {
  title: string;
  kind: ValueKind;
  rows: readonly { key: string; count: number; ratio: number | null }[];
}): JSX.Element {
  return (
    <Panel title={title}>
      <Bars
        label={title}
        bars={rows.slice(0, 6).map(({ key, count: n, ratio }) => ({
          key,
          label: <Value kind={kind} value={key} f={term(kind, key) ?? undefined} />,
          value: n,
          text: ratio === null ? exact(n) : plain(percent(ratio)),
          level: kind === 'rcode' && key !== 'NOERROR' ? (key === 'NXDOMAIN' ? 'attention' : 'alarm') : 'none',
        }))}
      />
    </Panel>
  );
}
