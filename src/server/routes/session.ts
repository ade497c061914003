import type { Api } from '../api.ts';
import { endpoint } from '../endpoint.ts';
import { ProblemError } from '../problem.ts';
import { session as answer, type Session, sessionBody } from '../schema/meta.ts';
import type { Identity } from '../sessions.ts';

function sessionValue({ services }: Api, identity: Identity, csrf: string): Session {
  return {
    user: identity.user,
    role: identity.role,
    csrf,
    version: services.version,
    features: {
      pcapng: services.packets !== null,
      parquet: true,
      alerts: true,
      probes: false,
      users: services.options.users.length > 0,
    },
    privacy: services.privacy,
    sensors: services.sensors().map(({ name }) => name),
  };
}

/** Who is signed in. */
export const readSession = endpoint({
  method: 'get',
  path: '/session',
  tag: 'session',
  summary: 'Who is signed in, and what this nametap can do',
  answer,
  run: ({ api, identity }) => sessionValue(api, identity, identity.csrf ?? ''),
});

/** Signs in: the answer sets the cookie. */
export const openSession = endpoint({
  method: 'post',
  path: '/session',
  tag: 'session',
  summary: 'Signs in by the token, or by name and password',
  access: 'anyone',
  body: sessionBody,
  answer,
  async run({ body, api, guards, request, remote, headers }) {
    if (!/^application\/json\b/i.test(request.headers.get('content-type') ?? '')) {
      throw new ProblemError(415, 'The body has to be JSON.');
    }
    const identity =
      'token' in body
        ? await guards.signInByToken(remote, body.token)
        : await guards.signIn(remote, body.name, body.password);
    const { cookie, csrf, seconds } = api.sessions.open(identity);
    headers.append('Set-Cookie', guards.cookieHeader(cookie, seconds));
    await api.audit.change({ user: identity.user, address: remote, action: 'session.open', subject: identity.role });
    return sessionValue(api, identity, csrf);
  },
});

/** Signs out. */
export const closeSession = endpoint({
  method: 'delete',
  path: '/session',
  tag: 'session',
  summary: 'Signs out',
  async run({ api, guards, identity, request, remote, headers }) {
    const cookie = guards.cookieOf(request);
    if (cookie !== undefined) api.sessions.end(cookie);
    headers.append('Set-Cookie', guards.cookieHeader('', 0));
    await api.audit.change({ user: identity.user, address: remote, action: 'session.close', subject: identity.role });
    return new Response(null, { status: 204 });
  },
});
