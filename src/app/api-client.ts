import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import type { Problem } from '../server/schema/common.ts';
import { DataFolder } from './data-folder.ts';

/** What the API answers. */
export type { Alert, AlertAction, AlertDetail, Alerts } from '../server/schema/alerts.ts';
export type { BaselineList, Snapshot, Snapshots, UsualAnswer } from '../server/schema/baseline.ts';
export type { Block, BlockPreview, BlockReport, Blocks, Undone } from '../server/schema/blocks.ts';
export type { PdnsImport, PdnsPage, PdnsRow } from '../server/schema/pdns.ts';
export type { Statistics } from '../server/schema/statistics.ts';
export type { Transaction, TransactionsPage } from '../server/schema/transactions.ts';

/** Query parameters of a request; undefined ones are left out. */
export type Parameters = Readonly<Record<string, string | number | undefined>>;

/** The API of a nametap, wherever it runs. Answers that are no success are thrown as UserError. */
export interface ApiClient {
  /** `path` from the root of the server on, such as `/api/v1/statistics`. */
  get(path: string, parameters?: Parameters): Promise<Response>;
  post(path: string, parameters: Parameters, body: string): Promise<Response>;
  /** Changes something: `body` is sent as JSON. */
  change(method: 'POST' | 'DELETE', path: string, body?: object): Promise<Response>;
  close(): Promise<void>;
}

/** Sends a request, over the network or within the process. */
type Transport = (request: Request) => Response | Promise<Response>;

export interface ApiTarget {
  /** Address of a server; absent: whoever serves the data folder. */
  url?: string | undefined;
  token?: string | undefined;
  /** The data folder. */
  data: string;
}

/**
 * The API of the server at `url`, or of the one that serves the data folder; undefined when nobody does. Throws
 * UserError for an address that is none, or for a server elsewhere without a token.
 */
export function findServer({ url, token, data }: ApiTarget): ApiClient | undefined {
  const serving = new DataFolder(data).serving();
  const base = url ?? serving?.url;
  if (base === undefined) return undefined;
  const parsed = URL.canParse(base) ? new URL(base) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new UserError(`"${base}" is no address of a nametap. Write --url http://127.0.0.1:5390.`);
  }
  // The address that serve prints has the token behind it.
  const printed = new URLSearchParams(parsed.hash.slice(1)).get('token') ?? parsed.searchParams.get('token');
  // A token is for one server: that of the folder is sent to nobody else.
  const own = serving !== undefined && new URL(serving.url).origin === parsed.origin ? serving.token : undefined;
  const secret = token ?? printed ?? own;
  if (secret === undefined) {
    throw new UserError(`${parsed.origin} wants a token: give it with --token or NAMETAP_SERVER_TOKEN.`);
  }
  return new Client(
    parsed.origin,
    secret,
    (request) => fetch(request),
    async () => {},
  );
}

/** The API of a server in this process. */
export function localApi(origin: string, token: string, transport: Transport, close: () => Promise<void>): ApiClient {
  return new Client(origin, token, transport, close);
}

class Client implements ApiClient {
  readonly #origin: string;
  readonly #token: string;
  readonly #transport: Transport;
  readonly close: () => Promise<void>;

  constructor(origin: string, token: string, transport: Transport, close: () => Promise<void>) {
    this.#origin = origin;
    this.#token = token;
    this.#transport = transport;
    this.close = close;
  }

  get(path: string, parameters: Parameters = {}): Promise<Response> {
    return this.#send(path, parameters, { method: 'GET' });
  }

  post(path: string, parameters: Parameters, body: string): Promise<Response> {
    return this.#send(path, parameters, { method: 'POST', body, headers: { 'Content-Type': 'text/plain' } });
  }

  change(method: 'POST' | 'DELETE', path: string, body?: object): Promise<Response> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = { ...(text !== undefined && { 'Content-Type': 'application/json' }) };
    return this.#send(path, {}, { method, headers, ...(text !== undefined && { body: text }) });
  }

  async #send(path: string, parameters: Parameters, init: RequestInit): Promise<Response> {
    const url = new URL(path, this.#origin);
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const request = new Request(url, init);
    request.headers.set('Authorization', `Bearer ${this.#token}`);
    let response: Response;
    try {
      response = await this.#transport(request);
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      const text = `No nametap answers at ${this.#origin} (${reasonOf(cause)}). Start one: nametap serve`;
      throw new UserError(text, EXIT.interface, { cause: error });
    }
    if (response.ok) return response;
    throw await refusal(response, parameters);
  }
}

/** What a server says when it refuses, for people. */
async function refusal(response: Response, { f }: Parameters): Promise<UserError> {
  const text = await response.text();
  let problem: Partial<Problem> = {};
  try {
    problem = JSON.parse(text) as Partial<Problem>;
  } catch {
    // No nametap, or something in between that speaks for itself.
    return new UserError(
      `The server answers ${response.status} and no problem in JSON: is it a nametap?`,
      EXIT.interface,
    );
  }
  const { status = response.status, title = '', detail = title, at, suggestion } = problem;
  if (status === 401) return new UserError('The server does not take this token. Give the right one with --token.');
  const isFilter = status === 400 && at !== undefined;
  const place = isFilter && typeof f === 'string' ? `\n    ${f}\n    ${' '.repeat(at.offset)}${carets(at.length)}` : '';
  const hint = suggestion === undefined || detail.includes(suggestion) ? '' : ` Did you mean ${suggestion}?`;
  const exit = isFilter || status === 422 ? EXIT.filter : status >= 500 ? EXIT.interface : EXIT.usage;
  return new UserError(`${detail}${hint}${place}`, exit);
}

function carets(length: number): string {
  return `^${'~'.repeat(Math.max(0, length - 1))}`;
}
