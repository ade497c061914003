import { UserError } from '../core/errors.ts';
import { isPublic, liesIn } from '../probes/public-address.ts';
import type { Traces } from '../server/services.ts';
import { TYPES } from '../wire/iana.ts';
import type { TraceConfig } from './trace-settings.ts';

/**
 * Traces for others: a zone's owner chooses which addresses are asked, so only public ones are, and those that the
 * configuration names.
 */
export function traceService(config: TraceConfig): Traces | null {
  if (!config.enabled) return null;
  return {
    async trace({ name, type, all }, signal) {
      const number = TYPES.number(type);
      if (number < 0) throw new UserError(`'${type}' is not an RR type. Write a mnemonic such as AAAA, or TYPE65280.`);
      const { trace } = await import('../client/trace/trace.ts');
      return trace(name, TYPES.name(number), {
        all,
        allows: (address) => config.root.includes(address) || mayAsk(address, config),
        mostQueries: config.queries_most,
        timeoutMs: 1500,
        signal: AbortSignal.any([signal, AbortSignal.timeout(config.timeout)]),
        ...(config.root.length > 0 && { root: config.root }),
        ...(config.anchors.length > 0 && { anchors: config.anchors }),
      });
    },
  };
}

/** Whether a server at this address may be asked. */
export function mayAsk(address: string, { allow }: Pick<TraceConfig, 'allow'>): boolean {
  return isPublic(address) || liesIn(allow, address);
}
