import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { reasonOf, UserError } from '../core/errors.ts';
import type { ProbeMetric, ProbeResult } from '../core/probe.ts';
import { askHttp, type Hop, hostOf } from './http-hop.ts';
import { type HttpSettings, httpSettings } from './http-settings.ts';
import { certificateMetrics } from './certificate.ts';
import { numberOf } from './metrics.ts';
import { type Failure, probe, type ProbeContext, Trial } from './probe.ts';
import { expiryProblem } from './expiry.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** HTTP and HTTPS. */
export const http = probe({
  type: 'http',
  summary: 'status, time of each part, redirects, certificate, headers, body, JSON',
  target: 'URL',
  settings: httpSettings,
  read: readUrl,
  run: checkHttp,
  metrics,
  passive(target) {
    const host = hostOf(new URL(target));
    return isIP(host) === 0 ? { kind: 'name', value: host } : null;
  },
});

function readUrl(written: string): string {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(written) ? written : `http://${written}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') {
    throw new UserError(`'${written}' is no address to check. Write http://HOST/PATH or https://HOST/PATH.`);
  }
  // Targets are shown: on the page, in metrics, in alerts.
  if (url.username !== '' || url.password !== '') {
    throw new UserError('An address to check holds no password: send it as a header (headers.Authorization).');
  }
  url.hash = '';
  return url.href;
}

async function checkHttp(target: string, settings: HttpSettings, context: ProbeContext): Promise<ProbeResult> {
  const trial = new Trial();
  const authority = authorityOf(settings.authority);
  if (authority !== undefined && 'outcome' in authority) return trial.failed('not_sent', authority.text);
  let url = new URL(target);
  let method: string = settings.method;
  let headers: Readonly<Record<string, string>> = settings.headers;
  let from: string | undefined;
  for (let redirects = 0; ; redirects++) {
    trial.facts.redirects = redirects;
    const found = await addressOf(url, trial, settings, context);
    if ('outcome' in found) return trial.failed(found.outcome, found.text);
    if (from !== undefined && !context.mayFollow(from, found.address)) {
      return trial.failed('not_allowed', `the redirect leads inside, to ${found.address} (probes.allow)`);
    }
    from = found.address;
    const hop = await askHttp({
      url,
      method,
      settings,
      headers,
      body: method === settings.method ? settings.body : undefined,
      authority: authority?.pem,
      address: found.address,
      family: found.family,
      trial,
      context,
    });
    if ('outcome' in hop) return trial.failed(hop.outcome, hop.text);
    const { location } = hop.headers;
    if (!REDIRECTS.has(hop.status) || location === undefined || settings.redirects === 0) {
      return judged(trial, url, hop, settings);
    }
    if (redirects === settings.redirects) return trial.failed('unexpected', `more than ${redirects} redirects`);
    const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
    if (next === undefined || (next.protocol !== 'http:' && next.protocol !== 'https:')) {
      return trial.failed('garbage', 'the redirect leads to no HTTP address');
    }
    if (hop.status === 303 || (hop.status < 303 && method === 'POST')) method = 'GET';
    // What is secret, or said to one host, is not for another.
    if (next.origin !== url.origin) headers = publicHeaders(headers);
    url = next;
  }
}

function publicHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !/^(?:authorization|cookie|host|proxy-authorization|x-.*)$/i.test(name)),
  );
}

function authorityOf(path: string | undefined): { pem: Buffer } | Failure | undefined {
  if (path === undefined) return undefined;
  try {
    return { pem: readFileSync(path) };
  } catch (error) {
    return { outcome: 'not_sent', text: `${path} cannot be read: ${reasonOf(error)}` };
  }
}

async function addressOf(url: URL, trial: Trial, settings: HttpSettings, context: ProbeContext) {
  const host = hostOf(url);
  const left = Math.max(1, context.timeoutMs - trial.elapsed);
  const found = await context.resolver.resolve(host, settings.family, left, context.signal);
  if ('outcome' in found) return found;
  trial.spent('resolve', found.ms);
  trial.address = found.address;
  if (context.allows(found.address)) return found;
  const text = `${found.address} is in none of the networks that may be asked`;
  return { outcome: 'not_allowed', text } satisfies Failure;
}

function judged(trial: Trial, url: URL, hop: Hop, settings: HttpSettings): ProbeResult {
  const ms = trial.elapsed;
  const { facts } = trial;
  facts.status = hop.status;
  facts.version = hop.version;
  facts.content_length = hop.headers['content-length'] === undefined ? -1 : Number(hop.headers['content-length']);
  facts.body_bytes = hop.bodyBytes;
  facts.is_tls = url.protocol === 'https:';
  const modified = Date.parse(hop.headers['last-modified'] ?? '');
  if (!Number.isNaN(modified)) facts.last_modified = modified / 1000;
  const isRight = settings.status.some(({ least, most }) => hop.status >= least && hop.status <= most);
  if (!isRight) return trial.failed('unexpected', String(hop.status), ms);
  const expiry = expiryProblem(facts.certificate_expires, settings.certificate_left);
  if (expiry !== null) return trial.failed('certificate', expiry, ms);
  const problem = headerProblem(hop, settings) ?? bodyProblem(hop, settings);
  if (problem !== null) {
    facts.failed_by_pattern = true;
    return trial.failed('unexpected', `${hop.status}, but ${problem}`, ms);
  }
  if (settings.within !== undefined && ms > settings.within) {
    return trial.failed('slow', `${hop.status}, but it took longer than ${settings.within} ms`, ms);
  }
  return trial.ok(ms, String(hop.status));
}

function headerProblem({ headers }: Hop, { response_headers }: HttpSettings): string | null {
  for (const [name, pattern] of Object.entries(response_headers)) {
    const value = headers[name.toLowerCase()];
    if (value === undefined) return `there is no header ${name}`;
    if (!pattern.matches(Array.isArray(value) ? value.join(', ') : value)) {
      return `the header ${name} does not match ${pattern.text}`;
    }
  }
  return null;
}

function bodyProblem({ body }: Hop, { body_matches, body_lacks, json }: HttpSettings): string | null {
  const paths = Object.entries(json);
  if (body_matches.length + body_lacks.length + paths.length === 0) return null;
  const text = body.toString('utf8');
  const missing = body_matches.find((pattern) => !pattern.matches(text));
  if (missing !== undefined) return `the body does not match ${missing.text}`;
  const present = body_lacks.find((pattern) => pattern.matches(text));
  if (present !== undefined) return `the body matches ${present.text}`;
  if (paths.length === 0) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'the body is no JSON';
  }
  for (const [path, wanted] of paths) {
    const found = valueAt(value, path);
    if (found !== wanted) return `${path} is ${found ?? 'not there'}, not ${wanted}`;
  }
  return null;
}

/** A value of a JSON document as text; undefined where there is none. */
function valueAt(document: unknown, path: string): string | undefined {
  let at = document;
  for (const key of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  if (typeof at === 'string') return at.slice(0, 1000);
  try {
    return JSON.stringify(at).slice(0, 1000);
  } catch {
    // Parsed it was, but it is too deep to be written.
    return 'nested too deeply';
  }
}

/** Those of blackbox_exporter, which calls the time until the first byte `processing`. */
function metrics({ facts, phases }: ProbeResult): ProbeMetric[] {
  const seconds = (ms: number | undefined) => (ms ?? 0) / 1000;
  const parts = [
    ['connect', phases.connect],
    ['processing', phases.first_byte],
    ['resolve', phases.resolve],
    ['tls', phases.tls],
    ['transfer', phases.transfer],
  ] as const;
  const list: ProbeMetric[] = parts.map(([phase, ms]) => ({
    name: 'probe_http_duration_seconds',
    help: 'Duration of http request by phase, summed over all redirects',
    labels: { phase },
    value: seconds(ms),
  }));
  const add = (name: string, help: string, value: number) => list.push({ name, help, value });
  add('probe_failed_due_to_regex', 'Indicates if probe failed due to regex', facts.failed_by_pattern === true ? 1 : 0);
  add('probe_http_content_length', 'Length of http content response', numberOf(facts.content_length));
  add('probe_http_redirects', 'The number of redirects', numberOf(facts.redirects));
  add('probe_http_ssl', 'Indicates if SSL was used for the final redirect', facts.is_tls === true ? 1 : 0);
  add('probe_http_status_code', 'Response HTTP status code', numberOf(facts.status));
  add('probe_http_uncompressed_body_length', 'Length of uncompressed response body', numberOf(facts.body_bytes));
  add('probe_http_version', 'Returns the version of HTTP of the probe response', Number(facts.version ?? 0));
  if (typeof facts.last_modified === 'number') {
    add(
      'probe_http_last_modified_timestamp_seconds',
      'Returns the Last-Modified HTTP response header in unixtime',
      facts.last_modified,
    );
  }
  return [...list, ...certificateMetrics(facts)];
}
