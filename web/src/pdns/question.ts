/** What a passive DNS question asks by; `null` when the text is nothing that can be asked. */
export type QuestionKind = 'name' | 'left_wildcard' | 'right_wildcard' | 'address' | 'cidr' | 'range';

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
const IPV6 = /^(?=.*:.*:)[0-9a-f:]+(?:\d+\.\d+\.\d+\.\d+)?$/i;

export function kindOf(text: string): QuestionKind | null {
  const q = text.trim();
  if (q === '' || /\s/.test(q) || q.length > 1024) return null;
  if (isAddress(q)) return 'address';
  const slash = q.lastIndexOf('/');
  if (slash > 0 && isAddress(q.slice(0, slash))) {
    const bits = q.slice(slash + 1);
    return /^\d{1,3}$/.test(bits) && Number(bits) <= (q.includes(':') ? 128 : 32) ? 'cidr' : null;
  }
  const dash = q.indexOf('-');
  if (dash > 0 && isAddress(q.slice(0, dash)) && isAddress(q.slice(dash + 1))) return 'range';
  if (q.startsWith('*.')) return 'left_wildcard';
  if (q.endsWith('.*')) return 'right_wildcard';
  return 'name';
}

function isAddress(text: string): boolean {
  return IPV4.test(text) || IPV6.test(text);
}

/** Undoes defanging, of all habits in use: `[.]`, `(.)`, `{.}`, `[dot]`, `hxxp`, `[:]`, `[://]`; also the host of an address. */
export function refang(text: string): string {
  const plain = text
    .trim()
    .replace(/[[({]\s*(?:\.|dot)\s*[\])}]/gi, '.')
    .replace(/[[({](:|:\/\/)[\])}]/g, '$1')
    .replace(/^hxxp/i, 'http');
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/@]*@)?(\[[^\]]+\]|[^/:?#]+)/i.exec(plain)?.[1] ?? plain;
  return host.replace(/^\[(.*)\]$/, '$1').replace(/(?<!\\)\.$/, '');
}

export const BATCH_LIMIT = 100;

/** Questions from pasted text: one a line, or apart by commas, spaces, semicolons; refanged, each once, in order. */
export function parseBatch(text: string): { questions: string[]; refused: string[]; more: number } {
  const parts = new Set(
    text
      .split(/[\s,;"'<>|]+/)
      .map(refang)
      .filter((part) => part !== ''),
  );
  const valid = [...parts].filter((part) => kindOf(part) !== null);
  return {
    questions: valid.slice(0, BATCH_LIMIT),
    refused: [...parts].filter((part) => kindOf(part) === null),
    more: Math.max(0, valid.length - BATCH_LIMIT),
  };
}

/** What the common output format says of a row (draft-dulaunoy-dnsop-passive-dns-cof); times in seconds. */
export interface CofRow {
  rrname: string;
  rrtype: string;
  rdata: string;
  time_first: string;
  time_last: string;
  count: number;
  sensor?: string | undefined;
}

/** One JSON object a line. */
export function toCof(rows: readonly CofRow[]): string {
  return rows
    .map(({ rrname, rrtype, rdata, time_first, time_last, count, sensor }) =>
      JSON.stringify({
        rrname,
        rrtype,
        rdata,
        time_first: Math.floor(Date.parse(time_first) / 1000),
        time_last: Math.floor(Date.parse(time_last) / 1000),
        count,
        sensor_id: sensor,
      }),
    )
    .map((line) => `${line}\n`)
    .join('');
}
