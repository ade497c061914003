import type { ComponentChildren, JSX } from 'preact';
import type { Alert, AlertDetail } from '../../../src/server/schema/alerts.ts';
import type { Block } from '../../../src/server/schema/blocks.ts';
import type { Transaction } from '../../../src/server/schema/transactions.ts';
import { session } from '../api.ts';
import { and, term } from '../filter.ts';
import { exact, milliseconds, moment, plain, preciseClock } from '../format.ts';
import { here, link } from '../state.ts';
import { Moment } from '../statistics/head.tsx';
import { t, type TextKey } from '../text.ts';
import { Fact, Panel } from '../ui/panel.tsx';
import { Value } from '../ui/value.tsx';
import { Around } from './around.tsx';
import { keyOf, targetsOf, unblock } from './block.tsx';
import { Measures } from './measures.tsx';
import { Confidence, Severity } from './severity.tsx';

/** Minutes of log shown around a transaction. */
const AROUND_MS = 5 * 60_000;

interface DetailProps {
  detail: AlertDetail;
  actions: ComponentChildren;
  /** All that is blocked. */
  blocks: readonly Block[];
  reload: () => void;
}

/** Why it was raised: what moved, against what; the transactions that show it; what was done about it. */
export function Detail({ detail, actions, blocks, reload }: DetailProps): JSX.Element {
  const { alert, explained, cause } = detail;
  const f = filterOf(alert);
  const [from, to] = [Date.parse(alert.first_seen), Date.parse(alert.last_seen)];
  return (
    <Panel
      class="alert-detail"
      title={t('alerts.evidence')}
      note={
        <>
          {alert.detector}
          <Techniques of={alert.attack} />
        </>
      }
    >
      <h3 class="headline">{alert.title}</h3>
      <p class="badges">
        <Severity of={alert.severity} named />
        <Confidence of={alert.confidence} />
        <span class="mute">{stateText(alert)}</span>
      </p>
      <p class="sentence">{alert.text}</p>
      {actions}
      {cause !== null && (
        <p class="mute">
          {t('alerts.cause')} <a href={here({ sel: cause.id })}>{cause.title}</a>
        </p>
      )}
      {alert.measures.length > 0 && <Measures of={alert.measures} />}
      {f !== '' && <Around f={f} from={from} to={to} />}
      <Shown detail={detail} f={f} />
      <dl class="facts">
        <About alert={alert} />
        <Fact title={t('alerts.seen')}>
          {moment(from, true)} – {from === to ? '' : moment(to, true)},{' '}
          {t('alerts.count', { n: alert.count, count: exact(alert.count) })}
        </Fact>
        <Blocked blocks={blocksOf(alert, blocks)} reload={reload} />
        {alert.proposal !== null && <Fact title={t('alerts.proposal')}>{alert.proposal.text}</Fact>}
        <Fact title={t('alerts.parts')}>{partsText(alert)}</Fact>
        <Fact title={t('alerts.id')}>
          <span class="mono">{alert.id}</span>
        </Fact>
      </dl>
      {explained.length > 0 && <Explained of={explained} />}
      <Journal of={alert.journal} />
    </Panel>
  );
}

type Full = AlertDetail['alert'];

/** What belongs to an alert, as a filter. */
export function filterOf({ domain, client, server }: Pick<Alert, 'domain' | 'client' | 'server'>): string {
  const parts = [
    domain === null ? null : term('domain', domain),
    client === null ? null : term('client', client),
    domain === null && client === null && server !== null ? term('server', server) : null,
  ];
  return parts.reduce<string>((all, part) => (part === null ? all : and(all, part)), '');
}

function stateText({ state, active, resolved, assignee, reason, muted_until }: Full): string {
  const parts = [
    active ? t('alerts.active') : t('alerts.resolved', { time: resolved === null ? '' : moment(Date.parse(resolved)) }),
    t(`alerts.state.${state}`),
    muted_until === null ? null : t('alerts.until', { time: moment(Date.parse(muted_until)) }),
    reason,
    assignee,
  ];
  return parts.filter((one) => one !== null).join(' · ');
}

function partsText({ severity_parts: { detector, score, confidence, weight, risk } }: Full): string {
  const number = (value: number): string => value.toFixed(2);
  const severity = t(`alerts.severity.${detector}`);
  return t('alerts.parts.text', {
    severity,
    score: number(score),
    confidence: number(confidence),
    weight: String(weight),
    risk: number(risk),
  });
}

function blocksOf(alert: Full, blocks: readonly Block[]): Block[] {
  const keys = new Set(targetsOf(alert).map(keyOf));
  return blocks.filter((block) => keys.has(keyOf(block)));
}

/** What of it is blocked, until when, with the way back. */
function Blocked({ blocks, reload }: { blocks: readonly Block[]; reload: () => void }): JSX.Element | null {
  if (blocks.length === 0) return null;
  const isOperator = session.value?.role === 'operator';
  return (
    <Fact title={t('blocks.title')}>
      {blocks.map((block) => (
        <div key={block.id} class="blocked">
          <bdi class="mono">{block.value}</bdi> {t('alerts.until', { time: moment(Date.parse(block.until)) })}
          {isOperator && (
            <button type="button" class="link" onClick={() => void unblock(block, reload)}>
              {t('alerts.undo')}
            </button>
          )}
        </div>
      ))}
    </Fact>
  );
}

function Techniques({ of }: { of: readonly string[] }): JSX.Element {
  return (
    <>
      {of.map((technique) => (
        <span key={technique} class="mono technique" title={t('alerts.attack')}>
          {technique}
        </span>
      ))}
    </>
  );
}

function About({ alert: { domain, client, server } }: { alert: Full }): JSX.Element {
  return (
    <Fact title={t('alerts.about')}>
      {domain !== null && <Value kind="domain" value={domain} class="mono" />}{' '}
      {client !== null && <Value kind="client" value={client} class="mono" />}{' '}
      {server !== null && <Value kind="server" value={server} class="mono" />}
    </Fact>
  );
}

/** The very transactions; each leads to its place in the log. Those that the store has forgotten are shown as they were noted. */
function Shown({ detail: { alert, transactions }, f }: { detail: AlertDetail; f: string }): JSX.Element {
  const found = new Map(transactions.map((one) => [one.transaction, one]));
  return (
    <section class="shown">
      <h3>
        {t('alerts.transactions', { n: alert.evidence.length, of: exact(alert.count) })}
        {f !== '' && (
          <a
            href={link('/explore', {
              f,
              from: new Date(Date.parse(alert.first_seen) - AROUND_MS).toISOString(),
              to: new Date(Date.parse(alert.last_seen) + AROUND_MS).toISOString(),
              live: null,
            })}
          >
            {t('value.log')}
          </a>
        )}
      </h3>
      <div class="scroll-x">
        <table class="plain" aria-label={t('alerts.evidence')}>
          <thead>
            <tr>
              {(['time', 'client', 'question', 'answer', 'latency'] as const).map((key) => (
                <th key={key} scope="col" class={key === 'latency' ? 'end' : ''}>
                  {t(`alerts.column.${key}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {alert.evidence.map((one) => (
              <EvidenceRow key={one.transaction} of={one} row={found.get(one.transaction)} f={f} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function EvidenceRow({
  of,
  row,
  f,
}: {
  of: Full['evidence'][number];
  row: Transaction | undefined;
  f: string;
}): JSX.Element {
  const at = Date.parse(of.time);
  const span = { from: new Date(at - AROUND_MS).toISOString(), to: new Date(at + AROUND_MS).toISOString() };
  const text = preciseClock(at);
  return (
    <tr>
      <td class="mono">
        {row === undefined ? (
          <span title={t('alerts.gone')}>{text}</span>
        ) : (
          <a href={link('/explore', { f, ...span, sel: of.transaction, live: null })} title={framesText(of.frames)}>
            {text}
          </a>
        )}
      </td>
      <td class="mono mute">{of.client}</td>
      <td class="mono name">
        {of.name} <span class="faint">{of.type}</span>
      </td>
      <td>{of.note ?? answerText(row)}</td>
      <td class="end mono">
        {row?.latency_ms === undefined || row.latency_ms === null ? '–' : plain(milliseconds(row.latency_ms))}
      </td>
    </tr>
  );
}

function answerText(row: Transaction | undefined): string {
  if (row === undefined) return '–';
  return row.rcode ?? row.outcome;
}

function framesText(frames: readonly number[] | undefined): string {
  return frames === undefined ? '' : t('alerts.frames', { frames: frames.join(', ') });
}

function Explained({ of }: { of: readonly Alert[] }): JSX.Element {
  return (
    <section>
      <h3>{t('alerts.explained')}</h3>
      <ul class="lines">
        {of.map(({ id, severity, title }) => (
          <li key={id}>
            <Severity of={severity} />
            <a href={here({ sel: id })}>{title}</a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Journal({ of }: { of: Full['journal'] }): JSX.Element {
  return (
    <section>
      <h3>{t('alerts.journal')}</h3>
      <ol class="journal">
        {[...of].reverse().map(({ n, time, by, action, text, undone }) => (
          <li key={n} class={undone ? 'undone' : ''}>
            <Moment at={time} />
            <span>
              {by !== 'nametap' && <b>{by}</b>} {stepText(action)}
              {text !== null && <q>{action === 'undo' ? stepText(text) : text}</q>}
              {undone && <em class="faint"> {t('alerts.undone')}</em>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function stepText(action: string): string {
  return t(`alerts.step.${action}` as TextKey);
}
