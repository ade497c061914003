import { api, type ApiError, fetchJson, send, session, toApiError } from './api.ts';
import { here, go } from './state.ts';
import type { Session } from '../../src/server/schema/meta.ts';

/**
 * Signs in by the token in the address (`#token=…`, `?token=…`), which is removed from the address and its history entry at
 * once; without one, by the cookie of an earlier visit. Sets `session` to null when neither is good.
 */
export async function signIn(): Promise<void> {
  const token = takeToken();
  if (token !== null && (await enter({ token })) === undefined) return;
  try {
    session.value = await fetchJson(api.session());
  } catch {
    // Whatever the reason, the way on is to sign in; that says what is wrong.
    session.value = null;
  }
}

/** Signs in; resolves with what was wrong, undefined = signed in. */
export async function enter(
  secret: { token: string } | { name: string; password: string },
): Promise<ApiError | undefined> {
  try {
    session.value = (await send<Session>('POST', '/session', secret)) ?? null;
    return undefined;
  } catch (thrown) {
    return toApiError(thrown);
  }
}

export async function signOut(): Promise<void> {
  await send('DELETE', '/session');
  session.value = null;
}

function takeToken(): string | null {
  const inHash = new URLSearchParams(location.hash.slice(1)).get('token');
  const inQuery = new URLSearchParams(location.search).get('token');
  if (inHash === null && inQuery === null) return null;
  go(here({ token: null }), { replace: true });
  return inHash ?? inQuery;
}
