import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Sensor } from '../../../src/server/schema/sensors.ts';
import { count, exact, percent, plain } from '../format.ts';
import { t } from '../text.ts';
import { Twin } from '../ui/chart.tsx';
import { Mark } from '../ui/icons.tsx';
import { causeText } from './causes.ts';
import { type Flow, type FlowNode, flow, isLoss } from './flow.ts';

/** Height of the stream at its widest, and of the drawing: what leaves falls out below. */
const HEIGHT = 88;
const DEPTH = 112;

/** The loss ledger as a stream that narrows: what leaves it, leaves it visibly, with cause and count. Its twin is a table. */
export function FlowDiagram({ ledger }: { ledger: Sensor['ledger'] }): JSX.Element {
  const [asTable, setAsTable] = useState(false);
  const drawn = flow(ledger.funnel, 100 * ledger.funnel.length, HEIGHT);
  return (
    <figure class="chart flow" aria-label={t('sensors.flow')}>
      <Twin asTable={asTable} onToggle={() => setAsTable(!asTable)} />
      {asTable ? (
        <FlowTable drawn={drawn} />
      ) : (
        <ol style={{ gridTemplateColumns: `repeat(${drawn.nodes.length}, minmax(0, 1fr))` }}>
          {drawn.nodes.map((node, i) => (
            <Stage key={node.stage} node={node} last={i === drawn.nodes.length - 1} />
          ))}
        </ol>
      )}
      <figcaption class={drawn.sums ? 'note' : 'note alarm'}>
        <Mark level={drawn.sums ? 'good' : 'alarm'} /> {t(drawn.sums ? 'sensors.flow.sums' : 'sensors.flow.open')}
      </figcaption>
    </figure>
  );
}

function Stage({ node, last }: { node: FlowNode; last: boolean }): JSX.Element {
  const lost = node.lost.some(({ cause }) => isLoss(cause));
  return (
    <li class={`${node.turns ? 'turns' : ''} ${last ? 'last' : ''}`}>
      <b>{causeText(node.stage)}</b>
      <span class="in">
        <data value={node.in} title={exact(node.in)}>
          {count(node.in)}
        </data>{' '}
        <small>{t(`unit.${node.unit}`)}</small>
      </span>
      <svg viewBox={`0 0 100 ${DEPTH}`} preserveAspectRatio="none" aria-hidden="true">
        <path class="stream" d={streamPath(node)} />
        {node.lostTotal > 0 && <path class={lost ? 'leak loss' : 'leak'} d={leakPath(node)} />}
      </svg>
      {node.lost.length > 0 && (
        <ul>
          {node.lost.map(({ cause, count: n }) => (
            <li key={cause}>
              <Mark
                level={isLoss(cause) ? 'alarm' : 'none'}
                label={isLoss(cause) ? t('sensors.isloss') : t('sensors.noloss')}
              />
              <span>{causeText(cause)}</span>
              <data value={n} title={`${exact(n)} · ${plain(percent(node.in === 0 ? 0 : n / node.in))}`}>
                {count(n)}
              </data>
            </li>
          ))}
        </ul>
      )}
      {node.rest !== 0 && <p class="alarm small">{t('sensors.rest', { n: exact(node.rest) })}</p>}
      {last && <span class="out">{t('sensors.out', { n: count(node.out), unit: t(`unit.${node.unit}`) })}</span>}
    </li>
  );
}

/** The stream through a stage: as high as what comes in, at its end as high as what goes on. */
function streamPath({ height, outHeight }: FlowNode): string {
  return `M0 0H100V${outHeight}H70C50 ${outHeight} 40 ${height} 20 ${height}H0Z`;
}

/** What leaves: from the stream's lower edge down and out; a width of its own, so that one frame can be seen. */
function leakPath({ height, outHeight }: FlowNode): string {
  const wide = Math.min(22, Math.max(3, height - outHeight));
  const left = 52 - wide / 2;
  const right = 52 + wide / 2;
  const top = Math.min(outHeight, height - 1);
  return `M20 ${height}C${left} ${height} ${left} ${height} ${left} ${DEPTH}H${right}C${right} ${top} ${right} ${top} 70 ${top}C50 ${top} 40 ${height} 20 ${height}Z`;
}

function FlowTable({ drawn }: { drawn: Flow }): JSX.Element {
  return (
    <div class="chart-table">
      <table>
        <caption class="hidden">{t('sensors.flow')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('sensors.stage')}</th>
            <th scope="col">{t('sensors.in')}</th>
            <th scope="col">{t('sensors.left')}</th>
            <th scope="col">{t('sensors.onward')}</th>
          </tr>
        </thead>
        <tbody>
          {drawn.nodes.map((node) => (
            <tr key={node.stage}>
              <th scope="row">
                {causeText(node.stage)} <span class="faint">{t(`unit.${node.unit}`)}</span>
              </th>
              <td>{exact(node.in)}</td>
              <td>{node.lost.map(({ cause, count: n }) => `${causeText(cause)} ${exact(n)}`).join(', ') || '0'}</td>
              <td>{exact(node.out)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
