import { isIP, type Socket } from 'node:net';
import { UserError } from '../core/errors.ts';
import type { ProbeMetric, ProbeResult } from '../core/probe.ts';
import { choice, flag, group, list, span, text, type ValueOf } from '../core/settings.ts';
import { closeQuietly, openTcp, openTls, type Under, waitOn } from './connect.ts';
import { expiryProblem } from './expiry.ts';
import { certificateMetrics } from './certificate.ts';
import { patternSetting } from './pattern.ts';
import { type Failure, probe, type ProbeContext, Trial } from './probe.ts';
import { FAMILIES } from './resolve.ts';

/** Longest line. */
const MOST_EXPECTED = 8192;

const settings = group('A TCP port: time to connect, TLS, what is said there.', {
  family: choice('Addresses to use.', FAMILIES, { default: 'any' }),
  tls: flag('Whether TLS begins at once.', { default: false }),
  server_name: text('Name that the certificate has to hold; absent: the host.', { example: 'mail.example.com' }),
  verify: flag('Whether the certificate has to be one to trust.', { default: true }),
  certificate_left: span('A certificate has to hold for so long at least.', { default: '0s' }),
  dialogue: list(
    'What is said, step by step.',
    group('A step: what is waited for, then what is sent, then TLS where that is to begin.', {
      expect: patternSetting('A regular expression that a line has to match.'),
      send: text('What is sent; \\r, \\n, \\t, \\xHH and \\\\ stand for octets.', { example: 'QUIT\\r\\n' }),
      start_tls: flag('Whether TLS begins after it.', { default: false }),
    }),
    { example: [{ expect: '^220 ' }, { send: 'QUIT\\r\\n' }] },
  ),
});
type Settings = ValueOf<typeof settings>;

/** A TCP port. */
export const tcp = probe({
  type: 'tcp',
  summary: 'time to connect, TLS, and what is said there',
  target: 'HOST:PORT',
  settings,
  read(written) {
    const { host, port } = hostAndPort(written);
    return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  },
  run: (target, options, context) => new TcpCheck(target, options, context).run(),
  metrics: ({ facts }): ProbeMetric[] => [
    {
      name: 'probe_failed_due_to_regex',
      help: 'Indicates if probe failed due to regex',
      value: facts.failed_by_pattern === true ? 1 : 0,
    },
    ...certificateMetrics(facts),
  ],
  passive(target) {
    const { host } = hostAndPort(target);
    return isIP(host) === 0 ? { kind: 'name', value: host } : null;
  },
});

/** Throws `UserError`. */
function hostAndPort(written: string): { host: string; port: number } {
  const parts = /^(?:tcp:\/\/)?(?:\[([0-9a-f:.%\w]+)\]|([^\s:/[\]@]+)):(\d{1,5})$/i.exec(written);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  if (parts === null || host === undefined || !(port > 0 && port <= 65_535) || (parts[1] && isIP(parts[1]) !== 6)) {
    throw new UserError(`'${written}' is no port to check. Write HOST:PORT, and an IPv6 address in brackets.`);
  }
  return { host, port };
}

const ESCAPES: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '\\': '\\', '0': '\0' };

function octets(text: string): Buffer {
  const plain = text.replace(/\\(?:x([0-9a-f]{2})|([rnt\\0]))/gi, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? ESCAPES[letter.toLowerCase()] : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(plain, /[^\0-\xff]/.test(plain) ? 'utf8' : 'latin1');
}

class TcpCheck {
  readonly #trial = new Trial();
  readonly #host: string;
  readonly #port: number;
  readonly #settings: Settings;
  readonly #context: ProbeContext;
  /** What has come and was not looked at yet. */
  #heard = '';

  constructor(target: string, options: Settings, context: ProbeContext) {
    const { host, port } = hostAndPort(target);
    this.#host = host;
    this.#port = port;
    this.#settings = options;
    this.#context = context;
  }

  async run(): Promise<ProbeResult> {
    const trial = this.#trial;
    const { resolver, timeoutMs, signal, allows } = this.#context;
    const found = await resolver.resolve(this.#host, this.#settings.family, timeoutMs, signal);
    if ('outcome' in found) return trial.failed(found.outcome, found.text);
    trial.spent('resolve', found.ms);
    trial.address = found.address;
    if (!allows(found.address)) {
      return trial.failed('not_allowed', `${found.address} is in none of the networks that may be asked`);
    }
    const connected = await openTcp({ ...found, port: this.#port }, this.#under);
    if ('outcome' in connected) return trial.failed(connected.outcome, connected.text);
    let { socket } = connected;
    try {
      const secured = this.#settings.tls ? await this.#secure(socket) : socket;
      if ('outcome' in secured) return trial.failed(secured.outcome, secured.text);
      socket = secured;
      const said = await this.#talk(socket);
      if ('outcome' in said) return trial.failed(said.outcome, said.text, trial.elapsed);
      socket = said;
    } finally {
      closeQuietly(socket);
      closeQuietly(connected.socket);
      connected.closed();
    }
    // Connecting is what is measured; a dialogue is measured to its end.
    const { connect = 0 } = trial.phases;
    const ms = this.#settings.dialogue.length > 0 || this.#settings.tls ? trial.elapsed : connect;
    return trial.ok(ms, this.#settings.dialogue.length > 0 ? 'as expected' : 'connected');
  }

  get #under(): Under {
    return { trial: this.#trial, context: this.#context };
  }

  async #secure(plain: Socket): Promise<Socket | Failure> {
    const { server_name, verify, certificate_left } = this.#settings;
    const socket = await openTls(plain, { name: server_name ?? this.#host, verify }, this.#under);
    if ('outcome' in socket) return socket;
    const problem = expiryProblem(this.#trial.facts.certificate_expires, certificate_left);
    return problem === null ? socket : { outcome: 'certificate', text: problem };
  }

  /** The socket at the end of the dialogue, which may have become TLS. */
  async #talk(begin: Socket): Promise<Socket | Failure> {
    let socket = begin;
    for (const { expect, send, start_tls } of this.#settings.dialogue) {
      const began = performance.now();
      if (expect !== undefined) {
        const failure = await this.#expect(socket, (text) => expect.matches(text), expect.text);
        if (failure !== null) return failure;
        this.#trial.spent('first_byte', performance.now() - began);
      }
      if (send !== undefined) socket.write(octets(send));
      if (start_tls) {
        const secured = await this.#secure(socket);
        if ('outcome' in secured) return secured;
        socket = secured;
      }
    }
    return socket;
  }

  /** Waits for a line that matches, as blackbox_exporter does; what comes behind it is for the next step. */
  #expect(socket: Socket, matches: (text: string) => boolean, pattern: string): Promise<Failure | null> {
    if (this.#takeLine(matches)) return Promise.resolve(null);
    let isHeard = false;
    const unmatched = (isAll = true): Failure => {
      if (isAll) this.#trial.facts.failed_by_pattern = true;
      return { outcome: 'unexpected', text: `what came does not match ${pattern}` };
    };
    return waitOn(socket, this.#under, false, (end) => {
      const take = (chunk: Buffer) => {
        isHeard = true;
        this.#heard += chunk.toString('latin1');
        if (this.#takeLine(matches)) return end(null);
        return this.#heard.length < MOST_EXPECTED ? undefined : end(unmatched());
      };
      const ended = () => {
        end(isHeard ? unmatched() : { outcome: 'closed', text: `the connection ended before ${pattern} came` });
      };
      socket.on('data', take).once('end', ended).resume();
      return (failure) => {
        socket.off('data', take).off('end', ended).pause();
        // More might have come: the pattern is not what failed, as blackbox_exporter has it.
        if (failure?.outcome === 'timeout' && isHeard) Object.assign(failure, unmatched(false));
      };
    });
  }

  /** Drops lines up to one that matches, it included; an unfinished one stays unless it matches. */
  #takeLine(matches: (text: string) => boolean): boolean {
    for (let at = 0; at < this.#heard.length; ) {
      const end = this.#heard.indexOf('\n', at);
      if (matches(this.#heard.slice(at, end < 0 ? undefined : end).replace(/\r$/, ''))) {
        this.#heard = end < 0 ? '' : this.#heard.slice(end + 1);
        return true;
      }
      if (end < 0) {
        this.#heard = this.#heard.slice(at);
        return false;
      }
      at = end + 1;
    }
    this.#heard = '';
    return false;
  }
}
