import { readFileSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { UserError } from '../core/errors.ts';
import { plainText } from '../core/figures.ts';
import { PORTS, type Server, type ServerText, type TransportName } from './server.ts';

/** What this machine asks (resolv.conf). */
export interface SystemSettings {
  servers: string[];
  search: string[];
  ndots: number;
  timeoutMs: number | undefined;
  tries: number | undefined;
}

const RESOLV_CONF = '/etc/resolv.conf';

/** This machine's resolvers; its own loopback where none are named, as the C library does. */
export function systemSettings(path: string = RESOLV_CONF): SystemSettings {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // Without the file the defaults hold.
  }
  return parseResolvConf(text);
}

/** Reads resolv.conf: unknown lines and words are passed over, as the C library does. */
export function parseResolvConf(text: string): SystemSettings {
  const settings: SystemSettings = { servers: [], search: [], ndots: 1, timeoutMs: undefined, tries: undefined };
  for (const line of text.split('\n')) {
    const [key, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (key === 'nameserver' && isIP(values[0] ?? '') !== 0) settings.servers.push(values[0]);
    if ((key === 'search' || key === 'domain') && values.length > 0) settings.search = values;
    if (key !== 'options') continue;
    for (const value of values) {
      const [name, number] = value.split(':');
      const n = Number(number);
      if (!(n >= 0)) continue;
      if (name === 'ndots') settings.ndots = Math.min(15, n);
      if (name === 'timeout' && n > 0) settings.timeoutMs = Math.min(30, n) * 1000;
      if (name === 'attempts' && n > 0) settings.tries = Math.min(5, n);
    }
  }
  if (settings.servers.length === 0) settings.servers.push('127.0.0.1');
  return settings;
}

/**
 * The addresses of a server as it was written: a name is looked up by the system, off this thread. Throws `UserError`
 * when it has none.
 */
export async function locateServer(
  text: ServerText,
  transport: TransportName,
  { port, family }: { port?: number | undefined; family?: 4 | 6 | undefined } = {},
): Promise<Server[]> {
  const over = text.port ?? port ?? PORTS[text.transport ?? transport];
  const common = { port: over, ...(text.path !== undefined && { path: text.path }) };
  const own = isIP(text.host);
  if (own !== 0) {
    if (family !== undefined && own !== family) {
      throw new UserError(`${text.host} is not an IPv${family} address. Leave -${family} out, or name another server.`);
    }
    return [{ address: text.host, ...common }];
  }
  try {
    const found = await lookup(text.host, { all: true, ...(family !== undefined && { family }) });
    return found.map(({ address }) => ({ address, name: text.host, ...common }));
  } catch (error) {
    const shown = plainText(text.host);
    throw new UserError(`The server ${shown} has no address that this machine can find. Give its address.`, 1, {
      cause: error,
    });
  }
}
