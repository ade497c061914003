import { isIP } from 'node:net';

/** The only table that is ever touched. */
const TABLE = 'inet nametap';
export const NFT_SETS = ['clients4', 'clients6', 'addresses4', 'addresses6'] as const;
export type NftSet = (typeof NFT_SETS)[number];

/** What the sets are to hold: addresses, each with the seconds it stays. */
export type NftWish = Readonly<Record<NftSet, readonly (readonly [address: string, seconds: number])[]>>;

const MOST_ELEMENTS = 20_000;
const MOST_SECONDS = 7 * 86_400;

/** Makes the table anew, with empty sets; what an earlier run left goes. */
export function setupScript(): string {
  const sets = NFT_SETS.map(
    (name) => `  set ${name} { type ${name.endsWith('4') ? 'ipv4_addr' : 'ipv6_addr'}; flags timeout; }`,
  );
  const drop = (what: string, ports: string) =>
    `    ${what} meta l4proto { tcp, udp } th dport { ${ports} } counter drop`;
  const hooks = ['input', 'forward', 'output'].map(
    (hook) => `  chain ${hook} { type filter hook ${hook} priority -10; policy accept; jump blocked; }`,
  );
  return [
    `add table ${TABLE}`,
    `delete table ${TABLE}`,
    `table ${TABLE} {`,
    ...sets,
    '  chain blocked {',
    // Lookups of a client; what must not be asked is not asked by DoT, DoQ or DoH either.
    drop('ip saddr @clients4', '53, 853'),
    drop('ip6 saddr @clients6', '53, 853'),
    drop('ip daddr @addresses4', '53, 443, 853'),
    drop('ip6 daddr @addresses6', '53, 443, 853'),
    '  }',
    ...hooks,
    '}',
    '',
  ].join('\n');
}

export function removeScript(): string {
  return `add table ${TABLE}\ndelete table ${TABLE}\n`;
}

/**
 * One transaction that leaves exactly this in the sets: timeouts of elements cannot be changed in place. Throws for
 * anything but addresses with a time: this is checked by the process that has the right, whoever asks.
 */
export function wishScript(wish: unknown): string {
  if (typeof wish !== 'object' || wish === null) throw new Error('no sets');
  const lines: string[] = [];
  for (const name of NFT_SETS) {
    const elements: unknown = (wish as Record<string, unknown>)[name];
    if (!Array.isArray(elements) || elements.length > MOST_ELEMENTS) throw new Error(`no list for ${name}`);
    lines.push(`flush set ${TABLE} ${name}`);
    const texts = elements.map((element) => elementText(element, name.endsWith('4') ? 4 : 6));
    if (texts.length > 0) lines.push(`add element ${TABLE} ${name} { ${texts.join(', ')} }`);
  }
  return `${lines.join('\n')}\n`;
}

function elementText(element: unknown, family: 4 | 6): string {
  const [address, seconds] = Array.isArray(element) ? (element as unknown[]) : [];
  if (typeof address !== 'string' || isIP(address) !== family || address.includes('%')) throw new Error('no address');
  if (!Number.isInteger(seconds) || (seconds as number) < 1 || (seconds as number) > MOST_SECONDS) {
    throw new Error('no time');
  }
  return `${address} timeout ${seconds as number}s`;
}
