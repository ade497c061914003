import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { type Binding, useKeys } from '../../keys.ts';
import { t } from '../../text.ts';
import { type Level, Mark } from '../../ui/icons.tsx';
import { IconButton, Kbd } from '../../ui/panel.tsx';
import type { Completion, Item } from './complete.ts';
import type { Mistake } from './language.ts';
import { segments } from './segments.ts';
import { type Editing, type EditorProps, useEditor } from './use-editor.ts';

/** The filter as text: coloured, completed, checked while it is typed; Enter applies it. */
export function FilterEditor(props: EditorProps): JSX.Element {
  const { value, onApply } = props;
  const editing = useEditor(props);
  const { text, verdict, list, at } = editing;
  const { mistake, hints } = verdict;
  const level = levelOf(editing);
  useKeys(useFocusKey(editing.input));
  return (
    <div class={`filter-editor ${level}`}>
      <div class="editor-line">
        <Mark level={level} label={t(`explore.valid.${level}`)} />
        <div class="editor-text mono">
          <Ink text={text} mistake={mistake} mark={list?.from ?? -1} />
          <Field editing={editing} />
          {list !== undefined && <Suggestions list={list} at={at} onAccept={editing.accept} />}
        </div>
        {text === '' && <Kbd>/</Kbd>}
        {text !== value && mistake === null && (
          <button type="button" class="button primary" onClick={editing.apply}>
            {t('explore.apply')} <small>↵</small>
          </button>
        )}
        {text !== '' && text === value && (
          <IconButton icon="close" label={t('search.clear')} onClick={() => onApply('')} />
        )}
      </div>
      <div id="editor-told" class="editor-told" role="status">
        {mistake !== null && <Told mistake={mistake} onFix={(fix) => editing.mend(mistake, fix)} />}
        {mistake === null &&
          hints.map((hint) => (
            <p key={hint} class="attn small">
              {hint}
            </p>
          ))}
      </div>
    </div>
  );
}

function levelOf({ text, ready, verdict }: Editing): Level {
  if (text.trim() === '' || !ready) return 'none';
  if (verdict.mistake !== null) return 'alarm';
  return verdict.hints.length > 0 ? 'attention' : 'good';
}

function Field({ editing }: { editing: Editing }): JSX.Element {
  const { text, list, at, verdict, input } = editing;
  return (
    <textarea
      ref={input}
      rows={1}
      class="mono"
      aria-label={t('explore.filter')}
      aria-haspopup="listbox"
      aria-controls="editor-list"
      aria-autocomplete="list"
      aria-activedescendant={list !== undefined && at >= 0 ? `editor-${at}` : undefined}
      aria-invalid={verdict.mistake !== null}
      aria-describedby="editor-told"
      placeholder={t('explore.placeholder')}
      autocomplete="off"
      autocapitalize="off"
      spellcheck={false}
      value={text}
      onFocus={editing.focus}
      onBlur={() => setTimeout(editing.close, 150)}
      onInput={({ currentTarget }) => {
        editing.type(currentTarget.value.replaceAll('\n', ' '), currentTarget.selectionStart);
      }}
      onKeyDown={(event) => {
        if (editing.key(event)) event.preventDefault();
      }}
    />
  );
}

/** `/` goes to this field instead of the frame's. */
function useFocusKey(input: { current: HTMLTextAreaElement | null }): readonly Binding[] {
  return useMemo(() => [{ keys: '/', title: 'help.search', run: () => input.current?.focus() }], []);
}

function Told({ mistake, onFix }: { mistake: Mistake; onFix: (fix: string) => void }): JSX.Element {
  const { fix, reason } = mistake;
  return (
    <p class="small">
      <span class="alarm">{reason}</span>
      {fix !== undefined && (
        <button type="button" class="button" onClick={() => onFix(fix)}>
          {t('explore.fix')} <b class="mono">{fix}</b>
        </button>
      )}
    </p>
  );
}

/** The text in colours, below the transparent field that is typed into. */
function Ink({ text, mistake, mark }: { text: string; mistake: Mistake | null; mark: number }): JSX.Element {
  return (
    <pre class="ink code" aria-hidden="true">
      {segments(text, mistake, mark).map(({ at, text: run, kind, wrong }) => (
        <span key={at} class={`${kind}${wrong ? ' wrong' : ''}`} data-mark={at === mark ? '' : undefined}>
          {run}
        </span>
      ))}
      {'\u200b'}
    </pre>
  );
}

function Suggestions({
  list,
  at,
  onAccept,
}: {
  list: Completion;
  at: number;
  onAccept: (item: Item) => void;
}): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const mark = box.current?.parentElement?.querySelector<HTMLElement>('[data-mark]');
    if (box.current === null) return;
    const room = (box.current.parentElement?.clientWidth ?? 0) - box.current.offsetWidth;
    box.current.style.left = `${Math.max(0, Math.min(mark?.offsetLeft ?? 0, room))}px`;
  }, [list]);
  useEffect(() => {
    document.getElementById(`editor-${at}`)?.scrollIntoView({ block: 'nearest' });
  }, [at]);
  return (
    <div ref={box} class="suggestions" id="editor-list" role="listbox" aria-label={t('explore.suggestions')}>
      {list.items.map((item, index) => (
        <div
          key={item.label}
          id={`editor-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === at}
          aria-disabled={item.off === true}
          class={item.kind}
          onPointerDown={(event) => {
            event.preventDefault();
            onAccept(item);
          }}
        >
          <b class="mono">{item.label}</b>
          <span>{item.detail}</span>
        </div>
      ))}
    </div>
  );
}
