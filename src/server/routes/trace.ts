import { endpoint } from '../endpoint.ts';
import { Gate, RateLimit } from '../limits.ts';
import { ProblemError } from '../problem.ts';
import { traceAnswer, traceBody } from '../schema/trace.ts';

/** Traces that run at a time: each may send hundreds of queries. */
const running = new Gate(2, 2);
/** For each person: one in 6 s, 5 at once. */
const RATE = { rate: 1 / 6, burst: 5 };
const limits = new RateLimit(RATE);

/** Follows a name from the root, on demand. */
export const trace = endpoint({
  method: 'post',
  path: '/trace',
  tag: 'probes',
  summary: 'Follows a name from the root to its answer, with its chain of trust; off unless trace.enabled says so',
  access: 'operator',
  body: traceBody,
  answer: traceAnswer,
  async run({ api, identity, remote, body, signal, now }) {
    const { traces } = api.services;
    if (traces === null) {
      throw new ProblemError(404, 'Traces are off here.', {
        suggestion:
          'They send queries to servers that others choose: trace.enabled in the configuration turns them on.',
      });
    }
    const wait = limits.take(`${identity.user} ${remote}`, now);
    if (wait > 0)
      throw new ProblemError(429, `Wait ${wait} s before the next trace.`, {}, { 'Retry-After': String(wait) });
    const leave = await running.enter();
    if (leave === null) throw new ProblemError(503, 'Too many traces are under way: try again in a moment.');
    try {
      await api.audit.change({
        user: identity.user,
        address: remote,
        action: 'trace',
        subject: `${body.name} ${body.type}`,
      });
      return await traces.trace(body, signal);
    } finally {
      leave();
    }
  },
});
