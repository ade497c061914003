import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Packet, Transaction, TransactionDetail } from '../../../../src/server/schema/transactions.ts';
import { type ApiError, toApiError } from '../../api.ts';
import { milliseconds, moment, plain, preciseClock } from '../../format.ts';
import { here, param, update } from '../../state.ts';
import { t } from '../../text.ts';
import { Choice } from '../../statistics/choice.tsx';
import { IconButton, Problem, Waiting } from '../../ui/panel.tsx';
import { Value } from '../../ui/value.tsx';
import { exactMs } from '../ladder/events.ts';
import { LadderView } from '../ladder/view.tsx';
import type { RowSource } from '../log/source.ts';
import { useAnswer } from '../log/answer.ts';
import { octetsOf, sign } from './link.ts';
import { MessageView } from './message.tsx';

const TABS = ['message', 'sequence', 'packets', 'related', 'record'] as const;
type Tab = (typeof TABS)[number];
type Side = 'query' | 'response';

interface DetailProps {
  source: RowSource;
  id: string;
  onClose: () => void;
  onOpen: (id: string) => void;
}

/** All that is known of a transaction: messages with their octets, its sequence, packets, and what belongs to it. */
export function Detail({ source, id, onClose, onOpen }: DetailProps): JSX.Element {
  const { detail, error, retry } = useDetail(source, id);
  const tab = TABS.find((name) => name === param('tab')) ?? 'message';
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    // Where there is no room beside the rows it covers them: the keyboard goes along.
    if (matchMedia('(max-width: 1099px)').matches) box.current?.focus();
  }, []);
  return (
    <aside ref={box} class="panel detail" tabIndex={-1} aria-label={t('explore.detail')}>
      <header>
        <h2>{t('explore.detail')}</h2>
        <span class="note mono">{id}</span>
        <span class="actions">
          <IconButton icon="close" label={t('explore.detail.close')} onClick={onClose} />
        </span>
      </header>
      {error !== undefined && <Problem error={error} retry={retry} />}
      {detail === undefined && error === undefined && <Waiting height={320} />}
      {detail !== undefined && (
        <>
          <Head row={detail.transaction} />
          <Choice
            label={t('explore.detail.what')}
            value={tab}
            options={TABS.map((value) => ({ value, title: t(`explore.detail.${value}`) }))}
            onChange={(next: Tab) => update({ tab: next === 'message' ? null : next }, { replace: true })}
          />
          {tab === 'message' && <Messages detail={detail} />}
          {tab === 'sequence' && <Sequence detail={detail} onOpen={onOpen} />}
          {tab === 'packets' && <Packets source={source} detail={detail} />}
          {tab === 'related' && <Related detail={detail} />}
          {tab === 'record' && <pre class="record mono">{JSON.stringify(detail.transaction, null, 2)}</pre>}
        </>
      )}
    </aside>
  );
}

const AGAIN_MS = 700;
const TRIES = 5;

function useDetail(
  source: RowSource,
  id: string,
): { detail: TransactionDetail | undefined; error: ApiError | undefined; retry: () => void } {
  const [state, setState] = useState<{ detail?: TransactionDetail; error?: ApiError }>({});
  const [round, setRound] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setState({});
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (left: number): Promise<void> => {
      try {
        const detail = await source.detail(id, abort.signal);
        if (!abort.signal.aborted) setState({ detail });
      } catch (thrown) {
        if (abort.signal.aborted) return;
        const error = toApiError(thrown);
        // A row of the live tail is here before it is in the store.
        if (error.problem.status === 404 && left > 0) timer = setTimeout(() => void ask(left - 1), AGAIN_MS);
        else setState({ error });
      }
    };
    void ask(source.hasHistory ? TRIES : 0);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [source, id, round]);
  return { detail: state.detail, error: state.error, retry: () => setRound(round + 1) };
}

/** The question in a sentence, and who was asked. */
function Head({ row }: { row: Transaction }): JSX.Element {
  const { name, type, client, server, rcode, latency_ms: ms, transport, queries } = row;
  return (
    <div class="detail-head">
      <p class="detail-name mono">
        {type !== undefined && <Value kind="type" value={type} />}{' '}
        {name !== undefined && <Value kind="name" value={name} />}
      </p>
      <p class="small mute mono">
        <Value kind="client" value={client} />
        <span class="faint">:{row.client_port}</span> → <Value kind="server" value={server} />
        <span class="faint">:{row.server_port}</span> {transport}
      </p>
      <p class="small mute">
        {moment(exactMs(row.time), true)} ·{' '}
        {rcode === undefined ? (
          <span class="alarm">{row.outcome.replace('_', ' ')}</span>
        ) : (
          <Value kind="rcode" value={rcode} class="mono" />
        )}
        {ms !== undefined && <> · {plain(milliseconds(ms))}</>}
        {queries > 1 && <span class="attn"> · {queries} ×</span>}
        {row.fault !== undefined && (
          <span class="alarm">
            {' '}
            · {row.fault.cause} ({row.fault.in}, {row.fault.offset})
          </span>
        )}
      </p>
    </div>
  );
}

function Messages({ detail }: { detail: TransactionDetail }): JSX.Element {
  const [chosen, setSide] = useState<Side>('response');
  const side: Side = detail[chosen] === null ? (chosen === 'query' ? 'response' : 'query') : chosen;
  const message = detail[side];
  const size = (of: Side): string => {
    const bytes = detail.transaction[`${of}_bytes`];
    return `${t(`explore.detail.${of}`)}${bytes === undefined ? '' : ` ${bytes} B`}`;
  };
  return (
    <>
      <div class="detail-side">
        <Choice
          label={t('explore.detail.side')}
          value={side}
          options={(['query', 'response'] as const)
            .filter((of) => detail[of] !== null)
            .map((value) => ({ value, title: size(value) }))}
          onChange={setSide}
        />
        {detail.query === null && <span class="faint small">{t('explore.detail.noquery')}</span>}
        {detail.response === null && <span class="faint small">{t('explore.detail.noresponse')}</span>}
      </div>
      {message !== null && <MessageView message={message} />}
    </>
  );
}

function Sequence({ detail, onOpen }: { detail: TransactionDetail; onOpen: (id: string) => void }): JSX.Element {
  const { transaction, related, packets } = detail;
  const all = useMemo(() => {
    const list = [transaction, related.parent, related.tcp_retry, ...related.children];
    const unique = new Map(list.flatMap((one) => (one === null ? [] : [[one.transaction, one] as const])));
    return [...unique.values()];
  }, [detail]);
  const seen = useMemo(() => (packets === null ? undefined : new Map([[transaction.transaction, packets]])), [detail]);
  return (
    <LadderView
      transactions={all}
      {...(seen !== undefined && { packets: seen })}
      onOpen={onOpen}
      selected={transaction.transaction}
    />
  );
}

function Packets({ source, detail }: { source: RowSource; detail: TransactionDetail }): JSX.Element {
  const { transaction: id } = detail.transaction;
  const asked = useAnswer(() => source.packets?.(id), [source, id]);
  const packets = detail.packets ?? asked.data;
  if (asked.error !== undefined) return <Problem error={asked.error} />;
  if (packets === undefined) {
    if (source.packets !== undefined) return <Waiting height={120} />;
    return <p class="faint small">{t('explore.packets.none')}</p>;
  }
  return (
    <div class="packets">
      {packets.map((packet) => (
        <PacketLines key={packet.number} packet={packet} />
      ))}
    </div>
  );
}

function PacketLines({ packet }: { packet: Packet }): JSX.Element {
  const octets = octetsOf(packet.hex);
  const rows = Array.from({ length: Math.min(256, Math.ceil(octets.length / 16)) }, (_, i) =>
    octets.subarray(i * 16, i * 16 + 16),
  );
  return (
    <details>
      <summary class="small">
        <b>
          {t('explore.packets.number')} {packet.number}
        </b>{' '}
        <span class="mono">{preciseClock(exactMs(packet.time))}</span> {t(`explore.detail.${packet.direction}`)} ·{' '}
        {packet.length} B
      </summary>
      <pre class="mono">
        {rows
          .map((row, i) => {
            const hex = Array.from(row, (octet) => octet.toString(16).padStart(2, '0')).join(' ');
            return `${(i * 16).toString(16).padStart(4, '0')}  ${hex.padEnd(48)} ${Array.from(row, sign).join('')}`;
          })
          .join('\n')}
      </pre>
    </details>
  );
}

function Related({ detail }: { detail: TransactionDetail }): JSX.Element {
  const { parent, children, tcp_retry, siblings } = detail.related;
  if (parent === null && tcp_retry === null && children.length === 0 && siblings.length === 0) {
    return <p class="faint small">{t('explore.related.none')}</p>;
  }
  return (
    <div class="related">
      <RelatedList title={t('explore.related.parent')} rows={parent === null ? [] : [parent]} />
      <RelatedList title={t('explore.related.tcp_retry')} rows={tcp_retry === null ? [] : [tcp_retry]} />
      <RelatedList title={t('explore.related.children')} rows={children} />
      <RelatedList title={t('explore.related.siblings')} rows={siblings} />
    </div>
  );
}

function RelatedList({ title, rows }: { title: ComponentChildren; rows: readonly Transaction[] }): JSX.Element | null {
  if (rows.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul>
        {rows.map((row) => (
          <li key={row.transaction}>
            <a href={here({ sel: row.transaction })} class="mono">
              <span class="faint">{preciseClock(exactMs(row.time))}</span> {row.type} {row.name}{' '}
              <span class="mute">
                {row.client} → {row.server}
              </span>{' '}
              {row.rcode ?? row.outcome}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
