import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { enter } from '../session.ts';
import { t } from '../text.ts';
import { fieldOf } from '../ui/form.ts';
import { Logo } from './logo.tsx';

/** Asks for the token, or name and password. */
export function Login(): JSX.Element {
  const [byPassword, setByPassword] = useState(false);
  const [wrong, setWrong] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const form = new FormData(event.currentTarget);
    const text = (name: string): string => fieldOf(form, name).trim();
    setBusy(true);
    const error = await enter(
      byPassword ? { name: text('name'), password: fieldOf(form, 'password') } : { token: tokenOf(text('token')) },
    );
    setBusy(false);
    if (error !== undefined) setWrong(error.problem.status === 401 ? t('login.wrong') : error.message);
  };
  return (
    <main class="login">
      <form onSubmit={(event) => void submit(event)}>
        <Logo size={32} />
        <h1>{t('login.title')}</h1>
        <p class="mute">{t('login.text')}</p>
        {byPassword ? (
          <>
            <Field label={t('login.name')}>
              <input name="name" autocomplete="username" required />
            </Field>
            <Field label={t('login.password')}>
              <input name="password" type="password" autocomplete="current-password" required />
            </Field>
          </>
        ) : (
          <Field label={t('login.token')}>
            <input name="token" type="password" autocomplete="off" required />
          </Field>
        )}
        <p class="wrong" role="alert">
          {wrong}
        </p>
        <button type="submit" class="button primary" disabled={busy}>
          {t('login.enter')}
        </button>
        <button type="button" class="link" onClick={() => setByPassword(!byPassword)}>
          {t(byPassword ? 'login.with.token' : 'login.with.password')}
        </button>
      </form>
    </main>
  );
}

function Field({ label, children }: { label: string; children: ComponentChildren }): JSX.Element {
  return (
    <label class="field">
      <span>{label}</span>
      {children}
    </label>
  );
}

/** The token of what was pasted: itself, or out of the whole address. */
function tokenOf(text: string): string {
  return /[#?&]token=([^&\s]+)/.exec(text)?.[1] ?? text;
}
