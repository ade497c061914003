import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Views } from '../../../src/server/schema/meta.ts';
import { api, exportUrl, fetchJson, send, session, toApiError } from '../api.ts';
import { viewText } from '../said.ts';
import { filter, here, param, scope, update } from '../state.ts';
import { t } from '../text.ts';
import { Dialog } from '../ui/dialog.tsx';
import { fieldOf } from '../ui/form.ts';
import { Icon } from '../ui/icons.tsx';
import { type MenuItem, openMenu } from '../ui/menu.tsx';
import { notify } from '../ui/notice.tsx';
import { Popover } from '../ui/popover.tsx';
import { capture } from './capture/capture.ts';
import { showFile } from './capture/drop.ts';
import { saveNdjson } from './capture/save.ts';
import { columnChoices, columnsParam, shownColumns } from './log/columns.tsx';

/** What can be done with what is shown: views, columns, export, another file. */
export function Tools({ isFile, narrow }: { isFile: boolean; narrow: boolean }): JSX.Element {
  return (
    <div class="tools">
      {!isFile && <ViewsButton />}
      <ColumnsButton narrow={narrow} />
      {isFile ? <SaveFileButton /> : <ExportButton />}
      <OpenButton />
    </div>
  );
}

function ViewsButton(): JSX.Element {
  const [saving, setSaving] = useState(false);
  const open = async (anchor: Element): Promise<void> => {
    try {
      const { rows } = await fetchJson(api.views());
      openMenu(
        anchor,
        t('explore.views'),
        viewItems(rows, () => setSaving(true)),
      );
    } catch (thrown) {
      notify(toApiError(thrown).message);
    }
  };
  return (
    <>
      <button type="button" class="button" aria-haspopup="menu" onClick={(event) => void open(event.currentTarget)}>
        {t('explore.views')}
        <Icon name="down" size={12} />
      </button>
      {saving && <SaveView onClose={() => setSaving(false)} />}
    </>
  );
}

function viewItems(rows: Views['rows'], save: () => void): MenuItem[] {
  const isOperator = session.value?.role === 'operator';
  const own = rows.filter(({ builtin }) => !builtin);
  const items: MenuItem[] = rows
    .filter(({ builtin }) => builtin)
    .map((view) => {
      const { title, summary } = viewText(view);
      return { label: <span title={summary}>{title}</span>, href: view.url };
    });
  own.forEach(({ title, url }, i) => items.push({ label: title, href: url, ...(i === 0 && { separated: true }) }));
  if (!isOperator) return items;
  items.push({ label: t('explore.views.save'), run: save, separated: true });
  for (const { name, title } of own) {
    items.push({ label: t('explore.views.delete', { title }), run: () => void remove(name, title) });
  }
  return items;
}

async function remove(name: string, title: string): Promise<void> {
  try {
    await send('DELETE', `/views/${encodeURIComponent(name)}`);
    notify(t('explore.views.deleted', { title }));
  } catch (thrown) {
    notify(toApiError(thrown).message);
  }
}

function SaveView({ onClose }: { onClose: () => void }): JSX.Element {
  const [wrong, setWrong] = useState('');
  const save = async (form: HTMLFormElement): Promise<void> => {
    const title = fieldOf(new FormData(form), 'title').trim();
    const name = slug(title);
    if (name === '') return;
    try {
      await send('POST', '/views', { name, title, url: here({ sel: null }) });
      notify(t('explore.views.saved', { title }));
      onClose();
    } catch (thrown) {
      setWrong(toApiError(thrown).message);
    }
  };
  return (
    <Dialog title={t('explore.views.save')} onClose={onClose}>
      <form
        class="save-view"
        onSubmit={(event) => {
          event.preventDefault();
          void save(event.currentTarget);
        }}
      >
        <label class="field">
          <span>{t('explore.views.title')}</span>
          <input name="title" required maxLength={200} autocomplete="off" />
        </label>
        <p class="wrong" role="alert">
          {wrong}
        </p>
        <button type="submit" class="button primary">
          {t('search.save')}
        </button>
      </form>
    </Dialog>
  );
}

/** A view's name in addresses: lower-case letters, digits and dashes; other scripts get a number of their own. */
export function slug(title: string): string {
  const plain = title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  if (plain !== '' || title === '') return plain;
  let hash = 0;
  for (const sign of title) hash = (Math.imul(hash, 31) + (sign.codePointAt(0) ?? 0)) >>> 0;
  return `view-${hash.toString(36)}`;
}

function ColumnsButton({ narrow }: { narrow: boolean }): JSX.Element {
  const [open, setOpen] = useState(false);
  const shown = shownColumns(param('cols'), { narrow });
  return (
    <span class="popover-anchor">
      <button type="button" class="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="table" size={14} />
        {t('explore.columns')}
      </button>
      {open && (
        <Popover label={t('explore.columns')} class="columns-popover" onClose={() => setOpen(false)}>
          <div class="columns">
            {columnChoices().map(({ key, title }) => (
              <label key={key}>
                <input
                  type="checkbox"
                  checked={shown.includes(key)}
                  disabled={shown.length === 1 && shown.includes(key)}
                  onChange={(event) => {
                    const next = event.currentTarget.checked ? [...shown, key] : shown.filter((one) => one !== key);
                    update({ cols: columnsParam(next) }, { replace: true });
                  }}
                />
                {title}
              </label>
            ))}
          </div>
          <button type="button" class="button" onClick={() => update({ cols: null }, { replace: true })}>
            {t('explore.columns.usual')}
          </button>
        </Popover>
      )}
    </span>
  );
}

function ExportButton(): JSX.Element {
  const items = (): MenuItem[] =>
    (['csv', 'ndjson', 'parquet', 'pcapng'] as const).map((format) => {
      const features = session.value?.features;
      const missing =
        (format === 'pcapng' && features?.pcapng === false) || (format === 'parquet' && features?.parquet === false);
      const label = t(`explore.export.${format}`);
      return missing
        ? {
            label: <span class="faint">{label}</span>,
            hint: t('explore.export.no'),
            run: () => notify(t('explore.packets.none')),
          }
        : { label, hint: t('explore.export.all'), run: () => download(exportUrl({ ...scope.value, format })) };
    });
  return (
    <button
      type="button"
      class="button"
      aria-haspopup="menu"
      onClick={(event) => openMenu(event.currentTarget, t('explore.export'), items())}
    >
      <Icon name="download" size={14} />
      {t('explore.export')}
    </button>
  );
}

/** Of a capture read here the page itself writes what passes. */
function SaveFileButton(): JSX.Element | null {
  const file = capture.value;
  if (file === null) return null;
  const save = async (): Promise<void> => {
    try {
      await saveNdjson(file.source, filter.value, `${file.name}.ndjson`);
    } catch (thrown) {
      notify(toApiError(thrown).message);
    }
  };
  return (
    <button type="button" class="button" onClick={() => void save()}>
      <Icon name="download" size={14} />
      {t('explore.file.export')}
    </button>
  );
}

/** Lets the browser fetch a file; the server names it. */
function download(url: string): void {
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = '';
  anchor.click();
}

/** Chooses a capture file by hand. */
export function OpenButton({ primary = false }: { primary?: boolean }): JSX.Element {
  return (
    <label class={`button${primary ? ' primary' : ''}`}>
      {t(primary ? 'explore.file.choose' : 'explore.open')}
      <input
        type="file"
        class="hidden"
        accept=".pcap,.pcapng,.cap,.dmp,.gz,.lz4,application/vnd.tcpdump.pcap"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          if (file !== undefined) void showFile(file);
        }}
      />
    </label>
  );
}

/** Address of the log without a group or diagram. */
export function showAs(view: 'log' | 'groups' | 'ladder'): string {
  if (view === 'groups') return here({ group: param('group') || 'domain', view: null, sort: null });
  return here({ group: null, sort: null, view: view === 'ladder' ? 'ladder' : null });
}
