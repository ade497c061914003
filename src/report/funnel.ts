import { FATE, type FrameFate, type Ledger } from '../core/ledger.ts';

/** One stage of the loss ledger as a funnel: what came in, what went on, and where the rest stayed. in = out + Σ lost. */
export interface FunnelStage {
  stage: string;
  unit: 'frames' | 'messages';
  in: number;
  out: number;
  lost: Partial<Record<string, number>>;
}

/** At which stage each fate takes a frame out; `carried` goes all the way. */
const STAGES: readonly { stage: string; fates: readonly FrameFate[] }[] = [
  { stage: 'interface', fates: ['interface'] },
  { stage: 'kernel filter', fates: ['kernel'] },
  {
    stage: 'network',
    fates: ['not_ip', 'unsupported_link', 'malformed', 'fragment_evicted', 'fragment_unfinished', 'fragment_overlap'],
  },
  {
    stage: 'transport',
    fates: [
      'sampled',
      'icmp',
      'no_payload',
      'segment_repeated',
      'stream_evicted',
      'stream_gap',
      'stream_unfinished',
      'held',
    ],
  },
  { stage: 'dns', fates: ['not_dns', 'encrypted', 'cut'] },
];

/** Interface → kernel filter → network → transport → DNS (frames), then the display filter (messages). */
export function funnel(ledger: Ledger): FunnelStage[] {
  let remaining = ledger.received;
  const stages = STAGES.map(({ stage, fates }): FunnelStage => {
    const lost: FunnelStage['lost'] = {};
    const before = remaining;
    for (const fate of fates) {
      const n = ledger.frames[FATE[fate]];
      if (n === 0) continue;
      lost[fate] = n;
      remaining -= n;
    }
    return { stage, unit: 'frames', in: before, out: remaining, lost };
  });
  const hidden = ledger.decoded - ledger.shown;
  stages.push({
    stage: 'display filter',
    unit: 'messages',
    in: ledger.decoded,
    out: ledger.shown,
    lost: hidden > 0 ? { not_shown: hidden } : {},
  });
  return stages;
}
