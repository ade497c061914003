import { z } from '@hono/zod-openapi';
import { UserError } from '../../core/errors.ts';
import { type Baselines, type BaselineSnapshot, USUAL_KINDS } from '../../core/usual.ts';
import type { Api } from '../api.ts';
import { endpoint } from '../endpoint.ts';
import { ProblemError } from '../problem.ts';
import { baselineList, rollbackBody, type Snapshot, snapshot, snapshots, usualAnswer } from '../schema/baseline.ts';
import { timeOf } from '../times.ts';

/** Keys of which something is known. */
const listBaseline = endpoint({
  method: 'get',
  path: '/baseline',
  tag: 'baseline',
  summary: 'Keys of which it is known what is usual, those with the most samples first',
  query: z.object({
    kind: z.enum(USUAL_KINDS).default('server'),
    limit: z.coerce.number().int().min(1).max(1000).default(50),
  }),
  answer: baselineList,
  run: ({ api, query: { kind, limit } }) => ({
    rows: of(api)
      .list(kind, limit)
      .map(({ lastSeen, isWarm, ...line }) => ({ ...line, last_seen: timeOf(lastSeen * 1000), warm: isWarm })),
  }),
});

/** What is usual for a key. */
const showBaseline = endpoint({
  method: 'get',
  path: '/baseline/usual',
  tag: 'baseline',
  summary: 'What is usual for a server, a client, a registrable domain, or (*) for all traffic',
  query: z.object({ key: z.string().min(1).max(1024) }),
  answer: usualAnswer,
  run({ api, query: { key } }) {
    const rows = of(api).show(key);
    if (rows.length === 0) {
      throw new ProblemError(
        404,
        `Nothing is known of '${key}'. It takes a server, a client, a registrable domain, or *.`,
      );
    }
    return {
      rows: rows.map(({ firstSeen, lastSeen, isWarm, ...one }) => ({
        ...one,
        first_seen: timeOf(firstSeen * 1000),
        last_seen: timeOf(lastSeen * 1000),
        warm: isWarm,
      })),
    };
  },
});

/** Baselines of other days. */
const listSnapshots = endpoint({
  method: 'get',
  path: '/baseline/snapshots',
  tag: 'baseline',
  summary: 'What was usual on other days, to go back to',
  answer: snapshots,
  run: ({ api }) => ({ rows: of(api).snapshots().map(snapshotValue) }),
});

/** Keeps what is usual now. */
const takeSnapshot = endpoint({
  method: 'post',
  path: '/baseline/snapshots',
  tag: 'baseline',
  summary: 'Keeps what is usual now, to go back to',
  access: 'operator',
  answer: snapshot,
  status: 201,
  async run({ api, identity, remote }) {
    const made = of(api).snapshot();
    await api.audit.change({ user: identity.user, address: remote, action: 'baseline.snapshot', subject: made.name });
    return snapshotValue(made);
  },
});

/** Goes back. */
const rollBack = endpoint({
  method: 'post',
  path: '/baseline/rollback',
  tag: 'baseline',
  summary: 'Goes back to what was usual at a snapshot',
  access: 'operator',
  body: rollbackBody,
  async run({ api, body: { name }, identity, remote }) {
    try {
      of(api).rollback(name);
    } catch (error) {
      if (error instanceof UserError) throw new ProblemError(409, error.message, { parameter: 'name' });
      throw error;
    }
    await api.audit.change({ user: identity.user, address: remote, action: 'baseline.rollback', subject: name });
    return new Response(null, { status: 204 });
  },
});

/** Endpoints about what is usual. */
export const BASELINE = [listBaseline, showBaseline, listSnapshots, takeSnapshot, rollBack];

function of({ services }: Api): Baselines {
  if (services.baselines === null) throw new ProblemError(409, 'Nothing is learnt here: start nametap serve.');
  return services.baselines;
}

function snapshotValue({ name, time, bytes }: BaselineSnapshot): Snapshot {
  return { name, time: timeOf(time), bytes };
}
