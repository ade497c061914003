import { Agent as PlainAgent, type IncomingMessage, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { type PeerTls, tlsOptions, whyOf } from './peer.ts';

/** Most octets of an answer that are read. */
const MOST_ANSWER_BYTES = 64 << 20;

export interface ServiceOptions {
  /** One or several nodes; another one is asked after a failure. */
  nodes: readonly string[];
  tls?: PeerTls;
  user?: string | undefined;
  password?: string | undefined;
  apiKey?: string | undefined;
  timeoutMs: number;
}

export interface Answer {
  status: number;
  /** What the JSON of the answer says; undefined where it is none. */
  value: unknown;
}

/** A search service spoken to over HTTP: connections are kept, answers bounded. */
export class SearchService {
  readonly #nodes: readonly URL[];
  readonly #agents: { plain: PlainAgent; tls: TlsAgent };
  readonly #headers: Record<string, string>;
  readonly #timeoutMs: number;
  #turn = 0;

  /** Throws UserError for a certificate that cannot be read. */
  constructor({ nodes, tls, user, password, apiKey, timeoutMs }: ServiceOptions) {
    this.#nodes = nodes.map((node) => new URL(node));
    const { name, files } = tlsOptions(tls);
    const kept = { keepAlive: true, maxSockets: 2 };
    this.#agents = {
      plain: new PlainAgent(kept),
      tls: new TlsAgent({ ...kept, ...files, minVersion: 'TLSv1.2', ...(name !== undefined && { servername: name }) }),
    };
    this.#timeoutMs = timeoutMs;
    this.#headers = { accept: 'application/json', 'user-agent': 'nametap' };
    if (apiKey !== undefined) this.#headers.authorization = `ApiKey ${apiKey}`;
    else if (user !== undefined) {
      this.#headers.authorization = `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}`;
    }
  }

  /** Asks the node whose turn it is. Rejects when no answer comes; a status that says no is an answer. */
  async ask(method: string, path: string, body?: Uint8Array | object, signal?: AbortSignal): Promise<Answer> {
    const node = this.#nodes[this.#turn % this.#nodes.length];
    try {
      const answer = await this.#exchange(node, method, path, body, signal);
      // Nodes that are overloaded or going down say so with these.
      if (answer.status === 429 || answer.status >= 500) this.#turn++;
      return answer;
    } catch (error) {
      this.#turn++;
      throw new Error(`Cannot reach ${node.origin}: ${whyOf(error)}`, { cause: error });
    }
  }

  close(): void {
    this.#agents.plain.destroy();
    this.#agents.tls.destroy();
  }

  async #exchange(
    node: URL,
    method: string,
    path: string,
    body: Uint8Array | object | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const isTls = node.protocol === 'https:';
    const isLines = body instanceof Uint8Array;
    const bytes = body === undefined || isLines ? body : Buffer.from(JSON.stringify(body));
    const late = AbortSignal.timeout(this.#timeoutMs);
    const options = {
      method,
      agent: isTls ? this.#agents.tls : this.#agents.plain,
      headers: {
        ...this.#headers,
        ...(bytes !== undefined && {
          'content-type': isLines ? 'application/x-ndjson' : 'application/json',
          'content-length': bytes.length,
        }),
      },
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
    };
    const url = new URL(node.pathname.replace(/\/$/, '') + path, node);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = isTls ? tlsRequest(url, options, resolve) : plainRequest(url, options, resolve);
      request.on('error', (error) => reject(late.aborted ? new Error('it takes too long') : error));
      request.end(bytes);
    });
    return { status: response.statusCode ?? 0, value: await valueOf(response) };
  }
}

async function valueOf(response: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MOST_ANSWER_BYTES) throw new Error('its answer is too long');
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** What an answer says went wrong, in its words. */
export function reasonIn(value: unknown): string {
  if (typeof value !== 'object' || value === null || !('error' in value)) return 'no reason given';
  const { error } = value;
  if (typeof error === 'string') return error;
  const { type, reason } = (error ?? {}) as { type?: unknown; reason?: unknown };
  return [type, reason].filter((part) => typeof part === 'string').join(': ') || 'no reason given';
}
