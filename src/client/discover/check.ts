import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIPv6, Socket } from 'node:net';
import { networkOutcome } from '../network-error.ts';
import { noteOwnSocket } from '../own-traffic.ts';
import { openSocket } from '../stream.ts';

/** How a server of a service is looked at: by connecting, or by asking over HTTP. */
export type CheckKind = 'tcp' | 'http' | 'https' | 'none';

/** What came of looking at one address. */
export interface CheckResult {
  address: string;
  isGood: boolean;
  /** Milliseconds until it stood, answered, or was given up. */
  ms: number;
  /** HTTP status, where it was asked for. */
  status?: number;
  /** Plain words. */
  sentence: string;
}

export interface CheckOptions {
  kind: Exclude<CheckKind, 'none'>;
  /** Name that is asked for over HTTP and that the certificate has to hold. */
  host: string;
  port: number;
  /** Path that HTTP asks for; `/` unless told. */
  path?: string;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** Looks at the addresses of a server one after another, until one is good; the last result when none is. */
export async function checkServer(addresses: readonly string[], options: CheckOptions): Promise<CheckResult> {
  let last: CheckResult = { address: '', isGood: false, ms: 0, sentence: `${options.host} has no address.` };
  for (const address of addresses) {
    if (options.signal?.aborted === true) break;
    last = await (options.kind === 'tcp' ? checkTcp(address, options) : checkHttp(address, options));
    if (last.isGood) break;
  }
  return last;
}

async function checkTcp(address: string, { port, timeoutMs, signal }: CheckOptions): Promise<CheckResult> {
  const server = { address, port };
  const opened = await openSocket({ server, timeoutMs, tls: undefined, ...(signal !== undefined && { signal }) }, []);
  opened.socket?.destroy();
  const isGood = opened.socket !== null;
  const sentence = isGood
    ? 'It accepts connections.'
    : `${REFUSALS[opened.outcome] ?? opened.reason ?? opened.outcome}.`;
  return { address, isGood, ms: opened.connectMs, sentence };
}

const REFUSALS: Readonly<Record<string, string>> = {
  refused: 'Nothing listens there',
  timeout: 'It does not answer in time',
  unreachable: 'It cannot be reached',
};

/** A status below 400 is good: redirects answer, too. */
function checkHttp(address: string, options: CheckOptions): Promise<CheckResult> {
  const { kind, host, port, path = '/', timeoutMs, signal } = options;
  const began = performance.now();
  const isUsualPort = port === (kind === 'https' ? 443 : 80);
  const stop = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]);
  const wanted: RequestOptions & { servername?: string } = {
    host: address,
    family: isIPv6(address) ? 6 : 4,
    port,
    path,
    method: 'GET',
    headers: { host: isUsualPort ? host : `${host}:${port}`, 'user-agent': 'nametap', connection: 'close' },
    agent: false,
    servername: host,
    signal: stop,
  };
  return new Promise((resolve) => {
    const done = (isGood: boolean, sentence: string, status?: number) =>
      resolve({ address, isGood, ms: performance.now() - began, sentence, ...(status !== undefined && { status }) });
    const request = (kind === 'https' ? httpsRequest : httpRequest)(wanted, (response) => {
      const status = response.statusCode ?? 0;
      // The body is of no interest, however long.
      response.on('error', () => undefined).destroy();
      done(status < 400, `It answers with status ${status}.`, status);
    });
    request.on('socket', (socket) => socket.once('connect', () => own(socket)));
    request.on('error', (error) => {
      const isLate = stop.aborted && signal?.aborted !== true;
      done(
        false,
        isLate ? 'It does not answer in time.' : `${REFUSALS[networkOutcome(error).outcome] ?? error.message}.`,
      );
    });
    request.end();
  });
}

function own(socket: Socket): void {
  if (socket.localAddress === undefined || socket.localPort === undefined) return;
  socket.once('close', noteOwnSocket('tcp', socket.localAddress, socket.localPort));
}
