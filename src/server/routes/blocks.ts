import { z } from '@hono/zod-openapi';
import type { Block as CoreBlock, Blocks } from '../../core/block.ts';
import { UserError } from '../../core/errors.ts';
import type { Api } from '../api.ts';
import { type Call, endpoint } from '../endpoint.ts';
import { ProblemError } from '../problem.ts';
import {
  type Block,
  block,
  blockBody,
  blockPreview,
  blockReport,
  blocks,
  previewQuery,
  undone,
} from '../schema/blocks.ts';
import { timeOf } from '../times.ts';

/** What is blocked now, the newest first. */
export const listBlocks = endpoint({
  method: 'get',
  path: '/blocks',
  tag: 'blocks',
  summary: 'What is blocked, why, by whom, until when',
  answer: blocks,
  run: ({ api }) => ({ rows: of(api).list().map(blockValue) }),
});

/** What a block would do, before it is made. */
export const previewBlock = endpoint({
  method: 'get',
  path: '/blocks/preview',
  tag: 'blocks',
  summary: 'What blocking it would do: by which ways, for how long, which rule refuses it and why; nothing is done',
  access: 'operator',
  query: previewQuery,
  answer: blockPreview,
  async run({ api, remote, query: { seconds, ...target } }) {
    const order = { from: remote, forMs: millisecondsOf(seconds) };
    const { forMs, block: held, ...rest } = await orRefuse(of(api).preview(target, order));
    return {
      ...rest,
      seconds: forMs / 1000,
      block: held === null ? null : blockValue(held),
      actions: [...rest.actions],
    };
  },
});

/** Blocks something by hand. */
export const addBlock = endpoint({
  method: 'post',
  path: '/blocks',
  tag: 'blocks',
  summary: 'Blocks a domain, a client or a server for a while',
  access: 'operator',
  body: blockBody,
  answer: block,
  status: 201,
  async run(call) {
    const { api, identity, remote, body } = call;
    const { seconds, reason, ...target } = body;
    const order = { by: identity.user, from: remote, reason, forMs: millisecondsOf(seconds) };
    const made = await orRefuse(of(api).add(target, order));
    await audit(call, 'block.add', made.value, reason);
    return blockValue(made);
  },
});

/** Ends a block. */
export const undoBlock = endpoint({
  method: 'delete',
  path: '/blocks/{block}',
  tag: 'blocks',
  summary: 'Ends a block, by its id or by what it blocks',
  access: 'operator',
  params: z.object({ block: z.string().min(1).max(1024) }),
  answer: undone,
  async run(call) {
    const what = call.params.block;
    const ended = of(call.api).undo(what, call.identity.user);
    if (ended.length === 0) throw new ProblemError(404, `'${what}' is not blocked.`);
    await audit(call, 'block.undo', ended[0].value);
    return { ended: ended.length };
  },
});

/** Ends all of them. */
export const flushBlocks = endpoint({
  method: 'delete',
  path: '/blocks',
  tag: 'blocks',
  summary: 'Ends all blocks',
  access: 'operator',
  answer: undone,
  async run(call) {
    const ended = of(call.api).flush(call.identity.user);
    await audit(call, 'block.flush', `${ended} blocks`);
    return { ended };
  },
});

/** What would have been blocked. */
export const reportBlocks = endpoint({
  method: 'get',
  path: '/blocks/report',
  tag: 'blocks',
  summary: 'What detectors proposed in the last seven days, and what became of it',
  answer: blockReport,
  run({ api }) {
    const { enforcing, decisions, actions, ...rest } = of(api).report();
    return {
      ...rest,
      enforcing: [...enforcing],
      actions: actions.map((one) => ({ ...one, counts: { ...one.counts } })),
      decisions: decisions.map((one) => ({
        ...one,
        detectors: [...one.detectors],
        first: timeOf(one.first),
        last: timeOf(one.last),
      })),
    };
  },
});

/** Lets detectors block again. */
export const resumeBlocks = endpoint({
  method: 'post',
  path: '/blocks/resume',
  tag: 'blocks',
  summary: 'Lets detectors block again after the breaker tripped',
  access: 'operator',
  async run(call) {
    of(call.api).resume(call.identity.user);
    await audit(call, 'block.resume', 'breaker');
    return new Response(null, { status: 204 });
  },
});

function of({ services }: Api): Blocks {
  if (services.blocks !== null) return services.blocks;
  throw new ProblemError(503, 'Blocking needs a nametap that serves. Start one: nametap serve');
}

/** What cannot be blocked is a conflict, said as it is. */
async function orRefuse<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof UserError) throw new ProblemError(409, error.message, { parameter: 'value' });
    throw error;
  }
}

function millisecondsOf(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

function audit(call: Call<unknown, unknown, unknown>, action: string, subject: string, detail?: string): Promise<void> {
  const { api, identity, remote } = call;
  return api.audit.change({
    user: identity.user,
    address: remote,
    action,
    subject,
    ...(detail !== undefined && { detail }),
  });
}

function blockValue({ isAutomatic, evidence, since, until, ...rest }: CoreBlock): Block {
  return { ...rest, since: timeOf(since), until: timeOf(until), automatic: isAutomatic, evidence: [...evidence] };
}
