import '../statistics/pages.css';
import type { JSX } from 'preact';
import type { Config, Views } from '../../../src/server/schema/meta.ts';
import { api, send, session, toApiError, useApi } from '../api.ts';
import { privacyText } from '../said.ts';
import { sensors } from '../shell/status.ts';
import { param, update, zone } from '../state.ts';
import { Choice } from '../statistics/choice.tsx';
import { Answer } from '../statistics/list.tsx';
import { type Language, language, setLanguage, t } from '../text.ts';
import { setTheme, theme, THEMES } from '../theme.ts';
import { Icon } from '../ui/icons.tsx';
import { notify } from '../ui/notice.tsx';
import { Empty, Fact, IconButton, Kbd, Panel } from '../ui/panel.tsx';
import { ViewLink } from '../ui/view-link.tsx';
import { AuditPanel } from './audit.tsx';
import { BlocksPanels } from './blocks.tsx';
import { configLines } from './lines.ts';

/** Languages by their own names. */
const LANGUAGES: readonly { value: Language; title: string }[] = [
  { value: 'en', title: 'English' },
  { value: 'zh', title: '简体中文' },
];

/** How the page looks, who is signed in, saved views, the configuration, who looked at what. */
export function Page(): JSX.Element {
  const isOperator = session.value?.role === 'operator';
  return (
    <div class="page">
      <h1 class="hidden">{t('page.settings')}</h1>
      <div class="grid-2">
        <AppearancePanel />
        <AboutPanel />
      </div>
      <BlocksPanels />
      <ViewsPanel />
      {isOperator ? (
        <div class="grid-2">
          <ConfigPanel />
          <AuditPanel />
        </div>
      ) : (
        <p class="note">{t('settings.operators')}</p>
      )}
    </div>
  );
}

function AppearancePanel(): JSX.Element {
  return (
    <Panel title={t('settings.look')} note={t('settings.look.note')}>
      <dl class="facts roomy">
        <Fact title={t('settings.theme')}>
          <Choice
            label={t('settings.theme')}
            value={theme.value}
            options={THEMES.map((value) => ({ value, title: t(`shell.theme.${value}`) }))}
            onChange={setTheme}
          />
        </Fact>
        <Fact title={t('shell.language')}>
          <Choice
            label={t('shell.language')}
            value={language.value}
            options={LANGUAGES}
            onChange={(code) => {
              void setLanguage(code);
            }}
          />
        </Fact>
        <Fact title={t('settings.zone')}>
          <Choice
            label={t('settings.zone')}
            value={param('tz') === 'utc' ? 'utc' : 'local'}
            options={[
              { value: 'local', title: zone.value === 'UTC' ? t('settings.zone.local') : zone.value },
              { value: 'utc', title: 'UTC' },
            ]}
            onChange={(value) => {
              update({ tz: value === 'utc' ? 'utc' : null });
            }}
          />
        </Fact>
        <Fact title={t('help.title')}>
          {t('settings.keys')} <Kbd>?</Kbd>
        </Fact>
      </dl>
    </Panel>
  );
}

function AboutPanel(): JSX.Element {
  const who = session.value;
  const store = sensors.value?.store;
  return (
    <Panel title={t('settings.about')}>
      {who !== undefined && who !== null && (
        <dl class="facts roomy">
          <Fact title="nametap">
            <span class="mono">{who.version}</span>
          </Fact>
          {store !== undefined && (
            <Fact title={t('store.title')}>{t('store.note', { engine: store.engine, schema: store.schema })}</Fact>
          )}
          <Fact title={t('settings.user')}>
            {who.user} <span class="mute">{t(`settings.role.${who.role}`)}</span>
          </Fact>
          <Fact title={t('settings.privacy')}>
            <span class="shield">
              <Icon name="shield" /> {t('shell.privacy', { level: who.privacy.level })}
            </span>{' '}
            <span class="mute">{privacyText(who.privacy)}</span>
          </Fact>
          <Fact title={t('settings.sensors')}>{who.sensors.join(', ') || '–'}</Fact>
          <Fact title={t('settings.api')}>
            <a class="more" href="/api/v1/openapi.json" target="_blank" rel="noreferrer">
              OpenAPI 3.1
            </a>{' '}
            · <code>/api/v1</code>
          </Fact>
        </dl>
      )}
    </Panel>
  );
}

function ViewsPanel(): JSX.Element {
  const answer = useApi<Views>(api.views());
  const rows = answer.data?.rows ?? [];
  const remove = async (name: string): Promise<void> => {
    try {
      await send('DELETE', `/views/${encodeURIComponent(name)}`);
      notify(t('settings.views.deleted', { name }));
      answer.reload();
    } catch (thrown) {
      notify(toApiError(thrown).message);
    }
  };
  return (
    <Panel title={t('settings.views')} note={t('settings.views.note')}>
      <Answer answer={answer} height={120}>
        {rows.length === 0 ? (
          <Empty title={t('settings.views.none')} />
        ) : (
          <ul class="cards">
            {rows.map((view) => (
              <li key={view.name}>
                <ViewLink view={view} />
                {view.builtin ? (
                  <small class="faint">{t('settings.views.builtin')}</small>
                ) : (
                  session.value?.role === 'operator' && (
                    <IconButton
                      icon="close"
                      label={t('settings.views.delete', { title: view.title })}
                      onClick={() => {
                        void remove(view.name);
                      }}
                    />
                  )
                )}
              </li>
            ))}
          </ul>
        )}
      </Answer>
    </Panel>
  );
}

function ConfigPanel(): JSX.Element {
  const answer = useApi<Config>(api.config());
  const lines = configLines(answer.data?.value ?? {});
  return (
    <Panel
      title={t('settings.config')}
      note={answer.data === undefined ? undefined : (answer.data.file ?? t('settings.config.default'))}
    >
      <Answer answer={answer}>
        <div class="config mono" tabIndex={0} role="region" aria-label={t('settings.config')}>
          {lines.map((line, i) => (
            <div key={i} style={{ paddingInlineStart: `${line.depth * 16}px` }}>
              <span class="config-key">{line.key === '-' ? '-' : `${line.key}:`}</span>{' '}
              {line.masked ? <span class="mute">{t('settings.config.masked')}</span> : line.value}
            </div>
          ))}
        </div>
      </Answer>
    </Panel>
  );
}
