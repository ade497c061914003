import { type ActionState, BLOCK_KINDS, DECISIONS } from '../core/block.ts';
import type { MetricDefinition, Reading } from './metrics.ts';

const action =
  (key: 'wanted' | 'applied' | 'failed') =>
  ({ api }: Reading) =>
    (api.services.blocks?.report().actions ?? []).map((one: ActionState) => [{ action: one.name }, one[key]] as const);

/** What is blocked, what was proposed, and whether it is carried out. */
export const FROM_BLOCKS: readonly MetricDefinition[] = [
  {
    name: 'nametap_blocks',
    help: 'What is blocked now.',
    kind: 'gauge',
    labels: ['kind'],
    read: ({ api: { services } }) => {
      const all = services.blocks?.list() ?? [];
      return BLOCK_KINDS.map((kind) => [{ kind }, all.filter((one) => one.kind === kind).length] as const);
    },
  },
  {
    name: 'nametap_block_decisions',
    help: 'Targets that were proposed in the last seven days, by what became of them.',
    kind: 'gauge',
    labels: ['outcome'],
    read: ({ api: { services } }) => {
      const all = services.blocks?.report().decisions ?? [];
      return DECISIONS.map((outcome) => [{ outcome }, all.filter((one) => one.outcome === outcome).length] as const);
    },
  },
  {
    name: 'nametap_block_breaker',
    help: '1 while automatic blocking has stopped itself.',
    kind: 'gauge',
    labels: [],
    read: ({ api: { services } }) => [[{}, (services.blocks?.report().breaker ?? null) === null ? 0 : 1]],
  },
  {
    name: 'nametap_block_action_wanted',
    help: 'Blocks that an action should carry out.',
    kind: 'gauge',
    labels: ['action'],
    read: action('wanted'),
  },
  {
    name: 'nametap_block_action_applied',
    help: 'Blocks that an action carries out.',
    kind: 'gauge',
    labels: ['action'],
    read: action('applied'),
  },
  {
    name: 'nametap_block_action_errors_total',
    help: 'Attempts of an action that failed.',
    kind: 'counter',
    labels: ['action'],
    read: action('failed'),
  },
  {
    name: 'nametap_block_action_events_total',
    help: 'What an action counts besides, such as requests to the zone by what became of them.',
    kind: 'counter',
    labels: ['action', 'event'],
    read: ({ api: { services } }) =>
      (services.blocks?.report().actions ?? []).flatMap(({ name, counts }) =>
        Object.entries(counts).map(([event, n]) => [{ action: name, event }, n] as const),
      ),
  },
  {
    name: 'nametap_block_unjudged_total',
    help: 'Proposals that were not looked at (overflow), and decisions that the journal had no room for (journal).',
    kind: 'counter',
    labels: ['reason'],
    read: ({ api: { services } }) => {
      const report = services.blocks?.report();
      return report === undefined
        ? []
        : [
            [{ reason: 'overflow' }, report.overflow],
            [{ reason: 'journal' }, report.unwritten],
          ];
    },
  },
];
