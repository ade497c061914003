import { randomBytes } from 'node:crypto';
import { exchange, type ExchangeOptions } from './exchange.ts';

/** What a server says to names that nobody has. */
export interface RewritingCheck {
  /** True when it makes up answers; null when it did not answer. */
  isRewriting: boolean | null;
  /** The data it makes up. */
  data: string[];
  sentence: string;
}

/** Where the made-up names are asked for: two that anybody may register in, one that must not exist (RFC 6761 §6.4). */
const BELOW = ['com', 'net', 'invalid'];

/**
 * Asks for random names that do not exist: some resolvers answer with an address of their own instead of NXDOMAIN.
 * `below`: domains to put the names in.
 */
export async function checkRewriting(
  options: ExchangeOptions,
  below: readonly string[] = BELOW,
): Promise<RewritingCheck> {
  const label = randomBytes(10).toString('hex');
  const results = await Promise.all(
    below.map((domain) => exchange({ name: `${label}.${domain}`, type: 'A' }, { ...options, recursionDesired: true })),
  );
  const answered = results.filter(({ response }) => response !== null);
  const { address, port } = options.server;
  const where = `${address}#${port}`;
  if (answered.length === 0)
    return { isRewriting: null, data: [], sentence: results[0]?.sentence ?? `${where} was not asked.` };
  const made = answered.filter(({ response }) => response?.rcode === 'NOERROR' && response.answers.length > 0);
  const data = [...new Set(made.flatMap(({ response }) => response?.answers.map((record) => record.data) ?? []))];
  // One domain may have a wildcard of its own; a resolver that makes answers up does so in all.
  const isRewriting = made.length > 0 && made.length >= answered.length - 1;
  return {
    isRewriting,
    data,
    sentence: isRewriting
      ? `${where} rewrites NXDOMAIN: to names that do not exist it answers ${data.slice(0, 4).join(', ')}.`
      : `${where} says of names that do not exist that they do not exist.`,
  };
}
