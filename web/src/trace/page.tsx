import '../statistics/pages.css';
import './page.css';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { TraceAnswer, TraceStep } from '../../../src/server/schema/trace.ts';
import { type ApiError, send, toApiError } from '../api.ts';
import type { PageProps } from '../pages.ts';
import { param, update } from '../state.ts';
import { latencyText } from '../statistics/figures.ts';
import { t } from '../text.ts';
import { type Level, Mark } from '../ui/icons.tsx';
import { Empty, Panel, Problem, Waiting } from '../ui/panel.tsx';

const TYPES = ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'SOA', 'TXT', 'SRV', 'HTTPS', 'DS', 'DNSKEY', 'CAA', 'PTR'];

type State = { running: boolean; trace?: TraceAnswer; error?: ApiError };

/** The way from the root to a name. A link fills in the form; only its button sends queries. */
export function Page({ rest }: PageProps): JSX.Element {
  const [state, setState] = useState<State>({ running: false });
  const run = async (body: { name: string; type: string; all: boolean }): Promise<void> => {
    setState({ running: true });
    try {
      const trace = await send<TraceAnswer>('POST', '/trace', body);
      setState({ running: false, ...(trace !== undefined && { trace }) });
    } catch (thrown) {
      setState({ running: false, error: toApiError(thrown) });
    }
  };
  const { running, trace, error } = state;
  return (
    <div class="page">
      <h1 class="hidden">{t('trace.title')}</h1>
      <Question name={param('name') || rest} running={running} onAsk={(body) => void run(body)} />
      {error !== undefined && <Problem error={error} />}
      {running && <Waiting height={240} />}
      {trace !== undefined && <Found trace={trace} />}
      {!running && trace === undefined && error === undefined && (
        <Empty title={t('trace.start')}>{t('trace.start.text')}</Empty>
      )}
    </div>
  );
}

function Question({
  name,
  running,
  onAsk,
}: {
  name: string;
  running: boolean;
  onAsk: (body: { name: string; type: string; all: boolean }) => void;
}): JSX.Element {
  return (
    <form
      class="pdns-search"
      role="search"
      aria-label={t('trace.title')}
      onSubmit={(event) => {
        event.preventDefault();
        const body = bodyOf(new FormData(event.currentTarget));
        update({ name: body.name, type: body.type, all: body.all ? '1' : null });
        if (body.name !== '') onAsk(body);
      }}
    >
      <label class="wide">
        <span>{t('trace.name')}</span>
        <input
          key={name}
          class="mono"
          name="name"
          defaultValue={name}
          required
          maxLength={1024}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          placeholder={t('trace.example')}
        />
      </label>
      <label>
        <span>{t('trace.type')}</span>
        <select name="type" defaultValue={param('type') || 'A'}>
          {TYPES.map((type) => (
            <option key={type} selected={type === (param('type') || 'A')}>
              {type}
            </option>
          ))}
        </select>
      </label>
      <div class="buttons">
        <label class="check">
          <input type="checkbox" name="all" defaultChecked={param('all') !== ''} /> {t('trace.all')}
        </label>
        <button type="submit" class="button primary" disabled={running}>
          {t('trace.go')}
        </button>
      </div>
      {running && (
        <p class="mute small" role="status">
          {t('trace.running')}
        </p>
      )}
    </form>
  );
}

function bodyOf(given: FormData): { name: string; type: string; all: boolean } {
  const text = (key: string) => {
    const value = given.get(key);
    return typeof value === 'string' ? value.trim() : '';
  };
  return { name: text('name'), type: text('type'), all: given.has('all') };
}

const LEVELS = { secure: 'good', insecure: 'none', bogus: 'alarm' } as const satisfies Record<string, Level>;
const KINDS: Readonly<Record<TraceStep['kind'], Level>> = {
  referral: 'good',
  answer: 'good',
  alias: 'good',
  nodata: 'info',
  nxdomain: 'info',
  lame: 'attention',
  failed: 'alarm',
};

function Found({ trace }: { trace: TraceAnswer }): JSX.Element {
  const { security, check, answers, steps, sentence, queries, ms } = trace;
  return (
    <>
      <p class="sentence" role="status">
        <strong lang="en">{sentence}</strong> {t('trace.queries', { n: queries, ms: latencyText(ms) })}
      </p>
      {answers.length > 0 && (
        <Panel title={t('trace.answers')}>
          <ul class="trace mono" lang="en">
            {answers.map(({ name, ttl, type, data }, i) => (
              <li key={i}>
                {name} <span class="mute">{ttl} s</span> {type} {data}
              </li>
            ))}
          </ul>
        </Panel>
      )}
      {security !== null && (
        <Panel title={t('trace.chain')} note={t(`trace.${security.state}`)}>
          <ol class="trace">
            {[...security.chain, { zone: trace.question.name, ...security }].map(({ zone, state, reason }, i) => (
              <li key={i}>
                <Mark level={LEVELS[state]} label={t(`trace.${state}`)} /> <b class="mono">{zone}</b>{' '}
                <span lang="en">{reason}</span>
              </li>
            ))}
          </ol>
        </Panel>
      )}
      <Panel title={t('trace.steps')} class="wide-table">
        <ol class="trace">
          {steps.map((step, i) => (
            <Step key={i} step={step} />
          ))}
        </ol>
      </Panel>
      {check !== null && <Servers check={check} />}
    </>
  );
}

function Step({ step }: { step: TraceStep }): JSX.Element {
  const { depth, purpose, zone, question, server, kind, referral, answers, remarks, rcode, ms } = step;
  const aside = depth > 0 || purpose !== 'name';
  const shown = answers.slice(0, 4).map(({ type, data }) => `${type} ${data}`);
  const said = referral === undefined ? shown.join(', ') || (rcode ?? step.outcome) : `→ ${referral.zone}`;
  return (
    <li
      class={aside ? 'mute' : ''}
      style={{ paddingInlineStart: `${depth * 24}px` }}
      title={aside ? t('trace.aside') : undefined}
    >
      <Mark level={KINDS[kind]} label={kind} /> <b class="mono">{zone}</b>{' '}
      <span class="mono">
        {server.name} {server.address}
      </span>{' '}
      <span class="num">{latencyText(ms)}</span> <span class="mono">{`${question.name} ${question.type}`}</span>{' '}
      <span class="mono">{said}</span>
      {referral?.servers.map(({ name, addresses }, i) => (
        <small key={i} class="mute mono">
          {name} {addresses.join(' ')}
        </small>
      ))}
      {remarks.map((remark) => (
        <small key={remark} class="attention" lang="en">
          {remark}
        </small>
      ))}
    </li>
  );
}

function Servers({ check }: { check: NonNullable<TraceAnswer['check']> }): JSX.Element {
  return (
    <Panel title={t('trace.servers', { zone: check.zone })}>
      {check.remarks.map((remark) => (
        <p key={remark} class="attention" lang="en">
          {remark}
        </p>
      ))}
      <div class="trace-servers" tabIndex={0} role="region" aria-label={t('trace.servers', { zone: check.zone })}>
        <table>
          <thead>
            <tr>
              <th>{t('trace.server')}</th>
              <th>ms</th>
              <th>{t('trace.serial')}</th>
              <th>{t('trace.answer')}</th>
              <th>{t('trace.random')}</th>
            </tr>
          </thead>
          <tbody class="mono">
            {check.servers.map((server, i) => (
              <tr key={i}>
                <td>
                  {server.name} {server.address}
                </td>
                <td>{server.ms === null ? '–' : latencyText(server.ms)}</td>
                <td>{server.serial ?? '–'}</td>
                <td>{server.answers.join(', ') || (server.rcode ?? server.outcome)}</td>
                <td>{server.random ?? '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
