import type { ComponentType, JSX } from 'preact';
import { useEffect, useErrorBoundary, useMemo, useState } from 'preact/hooks';
import { api, fetchJson, session, useApi } from '../api.ts';
import { type Binding, useKeys } from '../keys.ts';
import { findPage, PAGES, type PageProps } from '../pages.ts';
import { go, link, path } from '../state.ts';
import { t } from '../text.ts';
import { MenuHost } from '../ui/menu.tsx';
import { DropTarget } from '../explore/capture/target.tsx';
import { Notices } from '../ui/notice.tsx';
import { Empty } from '../ui/panel.tsx';
import { nextTheme, toggleLive } from './actions.ts';
import { Banners } from './banners.tsx';
import { Help, helpIsOpen } from './help.tsx';
import { Login } from './login.tsx';
import { learn, openAlerts, sensors } from './status.ts';
import { TopBar } from './topbar.tsx';

const POLL_MS = 10_000;

/** The frame around every page: bar, navigation, banners, page, menu, notices. */
export function Shell(): JSX.Element {
  if (session.value === null) return <Login />;
  return (
    <>
      <a class="skip" href="#main">
        {t('shell.skip')}
      </a>
      <TopBar />
      <Banners />
      <main id="main" tabIndex={-1}>
        {session.value !== undefined && <CurrentPage />}
        <MenuHost />
      </main>
      <Notices />
      <DropTarget />
      {helpIsOpen.value && <Help />}
      {session.value !== undefined && <Watch />}
      <GlobalKeys />
    </>
  );
}

const loaded = new Map<string, ComponentType<PageProps>>();

function CurrentPage(): JSX.Element {
  const found = findPage(path.value);
  const [, redraw] = useState(0);
  const [failed, retry] = useErrorBoundary();
  const [missing, setMissing] = useState(false);
  const key = found?.page.path;
  const alerts = openAlerts.value;
  useEffect(() => {
    setMissing(false);
    retry();
    if (found === undefined || loaded.has(found.page.path)) return;
    const { page } = found;
    const load = async (): Promise<void> => {
      try {
        loaded.set(page.path, (await page.load()).Page);
        redraw((n) => n + 1);
      } catch {
        setMissing(true);
      }
    };
    void load();
  }, [key]);
  useEffect(() => {
    const title = found === undefined ? '' : `${found.rest || t(found.page.title)} · `;
    document.title = `${alerts > 0 ? `(${alerts}) ` : ''}${title}nametap`;
  }, [key, found?.rest, alerts]);
  if (failed !== undefined || missing) return <Failed />;
  if (found === undefined) return <Missing />;
  const Page = loaded.get(found.page.path);
  return Page === undefined ? <div class="waiting page" /> : <Page key={found.page.path} rest={found.rest} />;
}

function Missing(): JSX.Element {
  return (
    <Empty title={t('shell.missing', { path: path.value })} action={<a href={link('/')}>{t('shell.missing.back')}</a>}>
      {t('shell.missing.text')}
    </Empty>
  );
}

function Failed(): JSX.Element {
  return (
    <Empty
      title={t('shell.failed')}
      action={
        <button type="button" class="button" onClick={() => location.reload()}>
          {t('shell.reload')}
        </button>
      }
    >
      {t('shell.failed.text')}
    </Empty>
  );
}

/** Asks how the sensors are, while the page is in sight; and once what the banners need, where the page does not. */
function Watch(): null {
  const { data, reload } = useApi(api.sensors());
  useEffect(() => {
    if (data !== undefined) sensors.value = data;
  }, [data]);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, POLL_MS);
    if (path.value !== '/') {
      fetchJson(api.overview({ from: '-1m', to: 'now' })).then(learn, () => undefined);
    }
    return () => {
      clearInterval(timer);
    };
  }, []);
  return null;
}

function GlobalKeys(): null {
  const bindings = useMemo<Binding[]>(
    () => [
      { keys: '/', title: 'help.search', run: () => document.querySelector<HTMLElement>('.search input')?.focus() },
      { keys: 't', title: 'help.range', run: () => document.querySelector<HTMLElement>('.range-button')?.click() },
      { keys: 'l', title: 'help.live', run: toggleLive },
      { keys: 'T', title: 'help.theme', run: nextTheme },
      {
        keys: '?',
        title: 'help.help',
        run: () => {
          helpIsOpen.value = true;
        },
      },
      ...PAGES.filter(({ key }) => key !== '').map<Binding>(({ key, path: to, title }) => ({
        keys: `g ${key}`,
        title,
        run: () => {
          go(link(to));
        },
      })),
    ],
    [],
  );
  useKeys(bindings);
  return null;
}
