import { choice, form, group, list, map, optionalGroup, secret, span, text } from '../core/settings.ts';
import { UserError } from '../core/errors.ts';

/** Layer `server`: the page and the API. */
export const serverSettings = group('The page and the API.', {
  listen: form('Where to listen. Beyond this machine only with users or a token.', 'HOST:PORT', readListen, {
    default: '127.0.0.1:5390',
  }),
  hosts: list('Names by which the page may be reached, besides localhost and addresses.', text('Name.'), {
    example: ['dns.example.net'],
    reloads: true,
  }),
  token: secret('Signs in as operator; absent: one is made up at the first start (file `token` in the data folder).', {
    example: { file: '/etc/nametap/token' },
  }),
  users: map(
    'People who may sign in, by name.',
    group('A person.', {
      password: secret('As `nametap config password` prints it.', {
        required: true,
        example: { file: '/etc/nametap/anna' },
      }),
      role: choice('What the person may do: look, or also change.', ['viewer', 'operator'], { default: 'viewer' }),
    }),
    { reloads: true },
  ),
  session: span('How long a session lasts.', { default: '12h', least: 60_000, most: 31_536_000_000 }),
  tls: optionalGroup('TLS of the page; without, it speaks plain HTTP.', {
    certificate: text('Certificate with its chain (PEM).', { required: true, example: '/etc/nametap/cert.pem' }),
    key: text('Key of the certificate (PEM).', { required: true, example: '/etc/nametap/key.pem' }),
  }),
  metrics: choice(
    'Who may read /metrics: everyone, this machine, or those with a token.',
    ['open', 'loopback', 'token'],
    {
      default: 'loopback',
    },
  ),
});

/** Reads `HOST:PORT`, `[IPV6]:PORT` or `PORT` (on this machine only). Throws UserError. */
export function readListen(written: string): { address: string; port: number } {
  const match = /^(?:(?:\[([0-9a-f:.%]+)\]|([^:[\]\s]+)):)?(\d{1,5})$/i.exec(written);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new UserError(`"${written}" is no address to listen on.`);
  return { address: match[1] ?? match[2] ?? '127.0.0.1', port };
}
