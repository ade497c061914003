import { plainText } from '../../core/figures.ts';
import { paint, ttlText } from '../show/look.ts';
import { msText } from '../outcome.ts';
import type { ServerCheck, ServerName, StepKind, Trace, TraceStep, ZoneCheck } from './types.ts';

interface DrawLook {
  color: boolean;
}

const SIGNS = { secure: ['✓', 'green'], insecure: ['○', 'yellow'], bogus: ['✗', 'red'] } as const;
const KIND_COLORS = {
  referral: 'blue',
  answer: 'green',
  alias: 'yellow',
  nodata: 'yellow',
  nxdomain: 'red',
  lame: 'red',
  failed: 'red',
} as const satisfies Record<StepKind, string>;

/** A step as a line of the tree, with its remarks below it. */
export function stepText(step: TraceStep, look: DrawLook): string {
  const indent = '   '.repeat(step.depth);
  const bullet = step.purpose === 'name' ? '●' : '○';
  const server = step.server.name === undefined ? step.server.address : `${step.server.name} ${step.server.address}`;
  const zone = paint(dots(step.zone).padEnd(24 - indent.length), 'bold', look);
  const way = step.transport === 'udp' ? '' : ` ${step.transport}`;
  const times =
    step.udp_ms !== undefined && step.tcp_ms !== undefined
      ? `cut after ${msText(step.udp_ms)}, TCP ${msText(step.tcp_ms)}`
      : `${msText(step.ms)}${way}`;
  const asked = step.purpose === 'name' ? '' : `${step.question.type} ${dots(step.question.name)} `;
  const what = `${asked}${paint(meaning(step), KIND_COLORS[step.kind], look)}`;
  const line = `${indent}${bullet} ${zone} ${plainText(server).padEnd(34)} ${times.padStart(9)}  ${what}`;
  return [
    line,
    ...step.remarks.map((remark) => `${indent}    ${paint(`! ${plainText(remark)}`, 'yellow', look)}`),
  ].join('\n');
}

/** What is known at the end: the answer, the chain of trust, what the zone's servers say, and a sentence. */
export function endText(trace: Trace, look: DrawLook): string {
  const blocks: string[] = [];
  if (trace.answers.length > 0) {
    blocks.push(
      trace.answers
        .map(
          ({ name, type, ttl, data }) =>
            `${dots(name)} ${paint(type, 'green', look)} ${plainText(data)}  ${paint(ttlText(ttl), 'dim', look)}`,
        )
        .join('\n'),
    );
  }
  if (trace.security !== null && trace.security.chain.length > 0) {
    const lines = trace.security.chain.map(({ zone, state, reason }) => {
      const [sign, color] = SIGNS[state];
      return `${paint(sign, color, look)} ${dots(zone).padEnd(24)} ${plainText(reason)}`;
    });
    blocks.push([paint('chain of trust', 'dim', look), ...lines].join('\n'));
  }
  if (trace.check !== null) blocks.push(checkText(trace.check, look));
  const { security } = trace;
  const judged =
    security === null
      ? ''
      : ` ${paint(security.state, SIGNS[security.state][1], look)}${security.reason === '' ? '' : `: ${plainText(security.reason)}`}.`;
  const cost = paint(
    `${trace.queries} ${trace.queries === 1 ? 'query' : 'queries'}, ${msText(trace.ms)}.`,
    'dim',
    look,
  );
  blocks.push(`${plainText(trace.sentence)}${judged} ${cost}`);
  return `${blocks.join('\n\n')}\n`;
}

function checkText({ zone, servers, remarks }: ZoneCheck, look: DrawLook): string {
  const lines = servers.map((server) => `  ${serverLine(server)}`);
  const notes =
    remarks.length === 0
      ? [paint('  all say the same', 'green', look)]
      : remarks.map((text) => `  ${paint(`! ${plainText(text)}`, 'yellow', look)}`);
  return [paint(`servers of ${dots(zone)}`, 'dim', look), ...lines, ...notes].join('\n');
}

function serverLine({ name, address, ms, serial, rcode, answers, random }: ServerCheck): string {
  const who = plainText(`${name ?? ''} ${address}`.trim()).padEnd(38);
  if (ms === null) return `${who} no answer`;
  const said = `${rcode ?? '-'}, ${answers.length} ${answers.length === 1 ? 'record' : 'records'}`;
  return `${who} ${msText(ms).padStart(9)}  serial ${serial ?? '-'}  ${said}, unknown name: ${plainText(random ?? '-')}`;
}

function meaning(step: TraceStep): string {
  switch (step.kind) {
    case 'referral':
      return referralText(step);
    case 'answer':
    case 'alias':
      return step.purpose === 'keys' || step.purpose === 'signer'
        ? count(step.answers.length, 'record')
        : step.answers
            .slice(0, 3)
            .map(({ type, data }) => `${type} ${shortened(data)}`)
            .join(', ') + more(step.answers.length - 3);
    case 'nodata':
      return step.purpose === 'name' ? `exists, no ${step.question.type}` : `no ${step.question.type}`;
    case 'nxdomain':
      return 'does not exist';
    case 'lame':
      return `lame (${step.rcode ?? 'no answer'})`;
    case 'failed':
    default:
      return step.rcode ?? step.outcome.replaceAll('_', ' ');
  }
}

function referralText({ referral }: TraceStep): string {
  if (referral === undefined) return '';
  const { servers, zone, ttl, signed } = referral;
  const withGlue = servers.filter(({ from }) => from === 'glue').length;
  const glue = withGlue === servers.length ? 'glue' : withGlue === 0 ? 'no glue' : `glue for ${withGlue}`;
  return `→ ${dots(zone)}  ${namesOf(servers)}, ${glue}, TTL ${ttlText(ttl)}${signed ? ', DS' : ''}`;
}

function namesOf(servers: readonly ServerName[]): string {
  const [first] = servers;
  const name = first?.name ?? first?.addresses[0] ?? 'no server';
  return servers.length === 1 ? plainText(name) : `${plainText(name)} and ${servers.length - 1} more`;
}

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
const more = (n: number): string => (n > 0 ? ` and ${n} more` : '');
const shortened = (text: string): string => plainText(text.length > 60 ? `${text.slice(0, 57)}…` : text);
const dots = (name: string): string => plainText(name === '.' ? name : `${name}.`);
