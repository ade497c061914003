import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { readFile } from 'node:fs/promises';
import { createServer as createHttp, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import { isLoopback } from './hosts.ts';
import type { ServerLog, ServerOptions } from './services.ts';

const MOST_CONNECTIONS = 1024;
const HEADERS_MS = 10_000;
/** A body may take so long; responses have no bound, tails go on for days. */
const REQUEST_MS = 120_000;
/** Connections that are still busy when the server goes down are cut after this. */
const CLOSE_MS = 3000;

export interface Listening {
  /** Such as `http://127.0.0.1:5390`. */
  url: string;
  address: string;
  port: number;
  /** Reads the certificate again; connections that are open keep theirs. */
  reloadCertificate(): Promise<void>;
  close(): Promise<void>;
}

type Fetch = (request: Request, env: HttpBindings) => Response | Promise<Response>;

/** Opens the socket. Throws UserError where it may not or cannot. */
export async function listen(options: ServerOptions, fetch: Fetch, log: ServerLog): Promise<Listening> {
  const { address, tls } = options;
  checkCredentials(options);
  const listener = getRequestListener((request, env) => fetch(request, env as HttpBindings), {
    overrideGlobalObjects: false,
    errorHandler: (error) => {
      // A client that went away is told as an error or, by streams, as text.
      const isGone = /\babort/i.test(String(error));
      if (!isGone) log.warn({ err: error }, 'a request could not be read');
      return new Response(null, { status: 400 });
    },
  });
  const settings = { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, keepAliveTimeout: 30_000 };
  const handler: Parameters<typeof createHttp>[1] = (incoming, outgoing) => void listener(incoming, outgoing);
  const secure = tls === null ? null : createHttps({ ...settings, ...(await certificateOf(tls)) }, handler);
  const server: Server = secure ?? createHttp(settings, handler);
  server.maxConnections = MOST_CONNECTIONS;
  await bind(server, options);
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : options.port;
  const host = address.includes(':') ? `[${address}]` : address;
  return {
    url: `${tls === null ? 'http' : 'https'}://${host}:${port}`,
    address,
    port,
    reloadCertificate: async () => {
      if (secure !== null && tls !== null) secure.setSecureContext(await certificateOf(tls));
    },
    close: () => closed(server),
  };
}

/** Beyond this machine nobody may come in without a password or a token that somebody chose. */
function checkCredentials({ address, users, token }: ServerOptions): void {
  if (isLoopback(address) || users.length > 0 || token?.chosen === true) return;
  throw new UserError(
    `Refusing to listen on ${address}, which others can reach, without credentials. ` +
      "Add people under 'server.users' (nametap config password), or a 'server.token'.",
    EXIT.usage,
  );
}

async function certificateOf({ certificate, key }: { certificate: string; key: string }) {
  const read = async (file: string) => {
    try {
      return await readFile(file);
    } catch (error) {
      throw new UserError(`Cannot read ${file} for TLS: ${reasonOf(error)}.`, EXIT.file, { cause: error });
    }
  };
  return { cert: await read(certificate), key: await read(key), minVersion: 'TLSv1.2' as const };
}

function bind(server: Server, { address, port }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      reject(
        new UserError(`Cannot listen on ${address} port ${port}: ${whyNot(error)}.`, EXIT.interface, { cause: error }),
      );
    };
    server.once('error', fail);
    server.listen(port, address, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

function whyNot(error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE')
    return 'another program uses it, maybe a nametap that runs already. Choose another with --listen';
  if (error.code === 'EADDRNOTAVAIL') return 'this machine has no such address';
  if (error.code === 'ENOTFOUND') return 'there is no such name';
  if (error.code === 'EACCES') return 'ports below 1024 need a right';
  return reasonOf(error);
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
