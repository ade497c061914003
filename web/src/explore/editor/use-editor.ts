import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Fields } from '../../../../src/server/schema/meta.ts';
import { api, fetchJson } from '../../api.ts';
import { type Completion, complete, type FieldInfo, type Item } from './complete.ts';
import type { Mistake, Verdict } from './language.ts';

type Language = typeof import('./language.ts');
interface Known {
  language: Language;
  fields: FieldInfo[];
  stored: ReadonlyMap<string, boolean>;
}

let language: Promise<Language> | undefined;
let fields: Promise<Fields | undefined> | undefined;

/** The filter language, and then what the server's store holds; each is fetched once, when it is first needed. */
async function loadLanguage(known: (found: Known) => void): Promise<Known> {
  language ??= import('./language.ts');
  // Without the server's word the language's own holds.
  fields ??= fetchJson(api.fields()).catch(() => undefined);
  const module = await language;
  const from = (server: Fields | undefined): Known => {
    const infos = module.fieldInfos(server);
    return { language: module, fields: infos, stored: new Map(infos.map(({ name, stored }) => [name, stored])) };
  };
  void fields.then((server) => known(from(server)));
  return from(undefined);
}

const NOTHING: Verdict = { mistake: null, hints: [] };

export interface EditorProps {
  /** The filter that holds. */
  value: string;
  /** Packets are kept: fields of the frame can be asked for too. */
  frames: boolean;
  onApply(text: string): void;
}

/** A filter while it is written. */
export interface Editing {
  text: string;
  /** The language is here: `verdict` says something. */
  ready: boolean;
  verdict: Verdict;
  /** Completions at the caret. */
  list: Completion | undefined;
  /** The one chosen by arrow keys; −1 none. */
  at: number;
  input: { current: HTMLTextAreaElement | null };
  focus(): void;
  type(text: string, caret: number): void;
  accept(item: Item | undefined): void;
  /** Puts the remedy in place of what is wrong. */
  mend(mistake: Mistake, fix: string): void;
  close(): void;
  apply(): void;
  /** True when the key was for the editor. */
  key(event: KeyboardEvent): boolean;
}

/** The language once `load` was called, and what it says of a text. `frames`: kept packets answer what rows do not hold. */
function useLanguage(
  text: string,
  frames: boolean,
): { loaded: Known | undefined; load: () => Promise<Known>; verdict: Verdict } {
  const [loaded, setLoaded] = useState<Known>();
  const verdict = useMemo(
    () =>
      loaded === undefined
        ? NOTHING
        : loaded.language.check(text, (field) => frames || loaded.stored.get(field) === true),
    [text, loaded, frames],
  );
  const load = async (): Promise<Known> => {
    const found = loaded ?? (await loadLanguage(setLoaded));
    setLoaded((before) => before ?? found);
    return found;
  };
  return { loaded, load, verdict };
}

/** What the filter editor knows and does; `value` is the filter that holds. */
export function useEditor({ value, frames, onApply }: EditorProps): Editing {
  const [text, setText] = useState(value);
  const [list, setList] = useState<Completion>();
  const [at, setAt] = useState(-1);
  const input = useRef<HTMLTextAreaElement>(null);
  const { loaded, load, verdict } = useLanguage(text, frames);
  useEffect(() => {
    setText(value);
    setList(undefined);
    if (value !== '') void load();
  }, [value]);
  const suggest = (next: string, caret: number): void => {
    setAt(-1);
    setList(loaded === undefined ? undefined : complete(next, caret, offered(loaded.fields, frames)));
  };
  const type = (next: string, caret: number): void => {
    setText(next);
    suggest(next, caret);
  };
  const put = (next: string, caret: number): void => {
    type(next, caret);
    requestAnimationFrame(() => placeCaret(input.current, caret));
  };
  const accept = (item: Item | undefined): void => {
    if (item === undefined || list === undefined || item.off === true) return;
    const space = text[list.to] === ' ' || item.kind === 'value' ? '' : ' ';
    put(
      text.slice(0, list.from) + item.insert + space + text.slice(list.to),
      list.from + item.insert.length + space.length,
    );
  };
  const apply = (): void => {
    setList(undefined);
    if (verdict.mistake === null) onApply(text.trim());
  };
  const key = (event: KeyboardEvent): boolean =>
    editorKey(event, {
      at,
      items: list?.items ?? [],
      choose: setAt,
      accept,
      apply,
      escape: () => {
        if (list === undefined) input.current?.blur();
        setList(undefined);
      },
      open: () => suggest(text, input.current?.selectionStart ?? text.length),
    });
  return {
    text,
    ready: loaded !== undefined,
    verdict,
    list,
    at,
    input,
    // What was typed before the language was here is completed too; an empty field shows what can be asked.
    focus: () => void load().then((found) => greet(input.current, value, offered(found.fields, frames), setList)),
    type,
    accept,
    mend: (mistake, fix) =>
      put(text.slice(0, mistake.at) + fix + text.slice(mistake.at + mistake.length), mistake.at + fix.length),
    close: () => setList(undefined),
    apply,
    key,
  };
}

/** Fields as they can be asked for here. */
function offered(fields: readonly FieldInfo[], frames: boolean): readonly FieldInfo[] {
  return frames ? fields.map((field) => (field.stored ? field : { ...field, stored: true })) : fields;
}

function greet(
  input: HTMLTextAreaElement | null,
  value: string,
  known: readonly FieldInfo[],
  show: (list: Completion | undefined) => void,
): void {
  if (input === null || (input.value !== '' && input.value === value)) return;
  show(complete(input.value, input.selectionStart, known));
}

function placeCaret(input: HTMLTextAreaElement | null, caret: number): void {
  input?.focus();
  input?.setSelectionRange(caret, caret);
}

interface KeyTargets {
  at: number;
  items: readonly Item[];
  choose(at: number): void;
  accept(item: Item | undefined): void;
  apply(): void;
  escape(): void;
  open(): void;
}

/** Arrows choose, Tab takes the first or the chosen, Enter takes the chosen or applies, Ctrl+Space opens. */
function editorKey({ key, shiftKey, ctrlKey }: KeyboardEvent, to: KeyTargets): boolean {
  const { at, items } = to;
  if (key === 'ArrowDown' && items.length > 0) to.choose((at + 1) % items.length);
  else if (key === 'ArrowUp' && items.length > 0) to.choose(at <= 0 ? items.length - 1 : at - 1);
  else if (key === 'Tab' && !shiftKey && items.length > 0) to.accept(items[Math.max(0, at)]);
  else if (key === 'Enter' && at >= 0) to.accept(items[at]);
  else if (key === 'Enter') to.apply();
  else if (key === ' ' && ctrlKey) to.open();
  else if (key === 'Escape') to.escape();
  else return false;
  return true;
}
