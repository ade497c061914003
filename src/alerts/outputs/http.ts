import { form, map, secret, span } from '../../core/settings.ts';
import { UserError } from '../../core/errors.ts';
import { Refused } from '../../sinks/target.ts';

/** Setting `url`. */
export function urlSetting(summary: string, example: string) {
  return form(summary, 'an address such as https://example.net/path', readUrl, { required: true, example });
}

function readUrl(written: string): string {
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new UserError(`"${written}" is no web address.`);
  return written;
}

/** Settings of outputs that speak HTTP. */
export const HTTP = {
  headers: map('Headers to send besides.', secret('Value of the header.'), {
    key: 'HEADER',
    keyPattern: /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/,
    example: { Authorization: 'Bearer …' },
  }),
  timeout: span('An answer is waited for so long.', { default: '10s', least: 100 }),
} as const;

export interface HttpSettings {
  headers: Record<string, string>;
  timeout: number;
}

/** Answers that say "later", among those that say "no". */
const LATER = new Set([408, 425, 429]);

/** Posts a body. Throws `Refused` where asking again would not help, else Error. */
export async function post(
  url: string,
  body: string,
  { headers, timeout }: HttpSettings,
  signal: AbortSignal,
): Promise<void> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      body,
      // A redirect could lead elsewhere than the operator wrote.
      redirect: 'manual',
      headers: { 'Content-Type': 'application/json', 'User-Agent': 'nametap', ...headers },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
    });
    await response.body?.cancel();
  } catch (error) {
    throw new Error(`${new URL(url).origin} does not answer: ${causeOf(error)}`, { cause: error });
  }
  if (response.ok) return;
  const why = `${new URL(url).origin} answers ${response.status} ${response.statusText}`.trim();
  if (response.status < 500 && !LATER.has(response.status)) throw new Refused(why);
  throw new Error(why);
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}
