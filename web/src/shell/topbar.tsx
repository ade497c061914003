import type { JSX } from 'preact';
import { session } from '../api.ts';
import { duration } from '../format.ts';
import { findPage, PAGES } from '../pages.ts';
import { signOut } from '../session.ts';
import { privacyText } from '../said.ts';
import { isRelative, link, live, path } from '../state.ts';
import { language, setLanguage, t } from '../text.ts';
import { isDark, setTheme, theme, THEMES } from '../theme.ts';
import { Icon, Mark } from '../ui/icons.tsx';
import { type MenuItem, openMenu } from '../ui/menu.tsx';
import { IconButton } from '../ui/panel.tsx';
import { toggleLive } from './actions.ts';
import { FilterBar } from './filterbar.tsx';
import { helpIsOpen } from './help.tsx';
import { Logo } from './logo.tsx';
import { RangePicker } from './range.tsx';
import { age, openAlerts, sensors } from './status.ts';

/** Two lines: where one is and of which sensor, range and state; below, what is filtered. */
export function TopBar(): JSX.Element {
  return (
    <header class="top">
      <div class="top-line">
        <a class="logo" href={link('/')} aria-label="nametap">
          <Logo />
          <span>nametap</span>
        </a>
        <Navigation />
        <div class="top-controls">
          <SensorButton />
          <RangePicker />
          <LiveButton />
          <IconButton icon="more" label={t('shell.more')} onClick={openMore} />
        </div>
      </div>
      <FilterBar />
    </header>
  );
}

function Navigation(): JSX.Element {
  const current = findPage(path.value)?.page.path;
  return (
    <nav aria-label={t('shell.pages')}>
      {PAGES.map(({ path: to, title }) => (
        <a key={to} href={link(to)} aria-current={to === current ? 'page' : undefined}>
          {t(title)}
          {to === '/alerts' && openAlerts.value > 0 && <b>{openAlerts.value}</b>}
        </a>
      ))}
    </nav>
  );
}

/** Which sensors, and how old their newest data is. */
function SensorButton(): JSX.Element {
  const list = sensors.value?.sensors ?? [];
  const names = list.length > 0 ? list.map(({ name }) => name) : (session.value?.sensors ?? []);
  const old = age.value;
  const level = old === null ? 'none' : old > 60 ? 'attention' : 'good';
  const privacy = list[0]?.privacy ?? session.value?.privacy;
  return (
    <a
      class="button quiet sensor"
      href={link('/sensors')}
      title={old === null ? t('shell.fresh.none') : t('shell.fresh', { age: duration(old) })}
    >
      <Mark level={level} />
      <span class="sensor-name">{names.length === 1 ? names[0] : t('shell.sensors', { n: names.length })}</span>
      {old !== null && <small>{duration(old)}</small>}
      {privacy !== undefined && privacy.level > 0 && (
        <span class="privacy" title={privacyText(privacy)}>
          <Icon name="shield" size={14} />
          {privacy.level}
        </span>
      )}
    </a>
  );
}

function LiveButton(): JSX.Element {
  const on = live.value;
  const title = !isRelative.value ? 'shell.live.absolute' : on ? 'shell.live.on' : 'shell.live.off';
  return (
    <button type="button" class="button live" aria-pressed={on} title={t(title)} onClick={toggleLive}>
      {on ? <i class="pulse" /> : <Icon name="pause" size={12} />}
      {t('shell.live')}
    </button>
  );
}

function openMore(event: MouseEvent): void {
  const items: MenuItem[] = [
    ...THEMES.map((choice) => ({
      label: t('shell.theme', { theme: t(`shell.theme.${choice}`) }),
      checked: theme.value === choice,
      run: () => {
        setTheme(choice);
      },
    })),
    { label: 'English', checked: language.value === 'en', separated: true, run: () => void setLanguage('en') },
    { label: '简体中文', checked: language.value === 'zh', run: () => void setLanguage('zh') },
    {
      label: t('shell.help'),
      hint: '?',
      separated: true,
      run: () => {
        helpIsOpen.value = true;
      },
    },
    { label: t('shell.signout'), run: () => void signOut() },
  ];
  const { version = '', user = '' } = session.value ?? {};
  openMenu(event.currentTarget as Element, `nametap ${version} · ${user} · ${isDark.value ? '◐' : '◑'}`, items);
}
